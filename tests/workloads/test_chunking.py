"""Do chunks cover their text, stay small, and keep functions whole where they fit?"""

from hypothesis import given
from hypothesis import strategies as st

from workloads.rag.chunking import MAX_CHARACTERS, chunk
from workloads.rag.symbols import outline

LINES = st.text(st.sampled_from("ab \t(){}=;"), max_size=300)
CODE = st.lists(
    st.sampled_from(["def f():\n", "function g() {\n", "\n", "x" * 700 + "\n", "  " * 900]) | LINES
)
PATHS = st.sampled_from(["a.py", "a.js", "a.md"])


@given(lines=CODE, path=PATHS, gap=st.sampled_from(["", "\n", "\r\n", "\n\n"]))
def test_chunks_are_the_text_less_blank_stretches(lines: list[str], path: str, gap: str) -> None:
    text = gap.join(lines)
    chunks = chunk(text, outline(text, path).symbols).chunks
    assert all(0 < len(piece) <= MAX_CHARACTERS and piece.strip() for piece in chunks)
    position = 0
    for piece in chunks:
        found = text.index(piece, position)
        assert not text[position:found].strip()
        position = found + len(piece)
    assert not text[position:].strip()


@given(st.text(max_size=5_000))
def test_any_text_rejoins(text: str) -> None:
    assert "".join("".join(chunk(text).chunks).split()) == "".join(text.split())


def function(name: str, n_characters: int) -> str:
    head = f"def {name}():\n    return "
    return head + "1" * (n_characters - len(head) - 1) + "\n"


def test_small_functions_share_a_chunk_and_none_is_cut() -> None:
    parts = [function("a", 900), function("b", 1_000), function("c", 1_500)]
    text = "".join(parts)
    chunked = chunk(text, outline(text, "x.py").symbols)
    assert chunked.chunks == (parts[0] + parts[1], parts[2])
    assert chunked.oversize == ()


def test_a_function_of_exactly_the_limit_stays_whole() -> None:
    parts = [function("a", 10 + MAX_CHARACTERS - 10), function("b", 100)]
    text = "".join(parts)
    assert chunk(text, outline(text, "x.py").symbols).chunks == tuple(parts)


def test_a_function_that_is_too_long_is_cut_and_said() -> None:
    text = "x = 1\n\n" + function("k", 4_500) + function("small", 100)
    chunked = chunk(text, outline(text, "x.py").symbols)
    assert [len(piece) for piece in chunked.chunks] == [7, 2_000, 2_000, 600]
    assert [str(what) for what in chunked.oversize] == [
        "function 'k' too large (4500 characters), using fixed chunking"
    ]


def test_minified_code_is_called_after_its_first_function() -> None:
    text = "(()=>{var t={8135:(e)=>{function k(e){return e}" + "function b(){}" * 500 + "}}})()"
    chunked = chunk(text, outline(text, "x.js").symbols)
    assert [what.what for what in chunked.oversize] == ["function 'k'"]
    assert len(chunked.chunks) == -(-len(text) // MAX_CHARACTERS)


def test_paragraphs_stay_whole_where_there_are_no_functions() -> None:
    paragraphs = ["a" * 1_200 + "\n\n", "b" * 1_200 + "\n\n", "c" * 300]
    assert chunk("".join(paragraphs)).chunks == (paragraphs[0], paragraphs[1] + paragraphs[2])


def test_a_long_paragraph_without_functions_is_called_after_its_place() -> None:
    chunked = chunk("intro\n\n" + "word " * 1_000)
    assert [str(what) for what in chunked.oversize] == [
        "paragraph at character 7 too large (5000 characters), using fixed chunking"
    ]


def test_blank_text_makes_no_chunks() -> None:
    assert chunk("").chunks == chunk(" \n\t" * 3_000).chunks == ()
