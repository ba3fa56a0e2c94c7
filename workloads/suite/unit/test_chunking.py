"""Is a text cut into pieces that are small enough, without losing any of it?"""

import pytest

from workloads.rag.chunking import MAX_CHARACTERS, chunk
from workloads.rag.symbols import Symbol, SymbolKind

PARAGRAPH = "A sentence of forty characters, and one.\n"


def joined(text: str) -> str:
    """The text without what is blank."""
    return "".join(text.split())


@pytest.mark.parametrize("n_paragraphs", [1, 49, 50, 120])
def test_no_word_is_lost(n_paragraphs: int) -> None:
    """Whatever the length, the chunks are the text."""
    text = "\n".join([PARAGRAPH] * n_paragraphs)
    chunks = chunk(text).chunks
    assert joined("".join(chunks)) == joined(text)
    assert max(map(len, chunks)) <= MAX_CHARACTERS


def test_neighbours_share_a_chunk_while_they_fit() -> None:
    """Forty-seven paragraphs of 42 characters fit into 2,000, the next one does not."""
    assert [len(piece) for piece in chunk("\n".join([PARAGRAPH] * 60)).chunks] == [47 * 42, 13 * 42 - 1]


def test_a_function_stays_whole() -> None:
    """It begins a chunk of its own where it does not fit behind what came before."""
    before, body = "x" * 1_500 + "\n\n", "def f():\n" + "    pass\n" * 80
    symbol = Symbol(
        name="f", kind=SymbolKind.FUNCTION, start=len(before), end=len(before + body), splits=True
    )
    assert chunk(before + body, [symbol]).chunks == (before, body)


def test_what_is_too_long_is_named() -> None:
    """A line without an end is a paragraph that nothing splits."""
    chunked = chunk("short\n\n" + "y" * 4_100)
    assert [str(one) for one in chunked.oversize] == [
        "paragraph at character 7 too large (4100 characters), using fixed chunking"
    ]
    assert [len(piece) for piece in chunked.chunks] == [7, 2_000, 2_000, 100]


def test_what_is_left_over_shares_a_chunk_with_its_neighbour() -> None:
    """A hundred characters would else be a chunk of their own."""
    assert [len(piece) for piece in chunk("y" * 4_100 + "\n\nshort").chunks] == [2_000, 2_000, 107]


def test_nothing_but_blanks_makes_no_chunk() -> None:
    """Nobody searches for them."""
    assert chunk(" \n\n\t\n").chunks == ()
