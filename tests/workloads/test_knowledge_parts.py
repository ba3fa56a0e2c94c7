"""Does each part of the knowledge base do its job, in both twins?"""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workloads.knowledge.plain.chunking import split
from workloads.knowledge.plain.config import KnowledgeConfig
from workloads.knowledge.plain.documents import Chunk, Document
from workloads.knowledge.plain.entities import EntitySummary, Mention, extract
from workloads.knowledge.plain.links import Link, broken, find_links
from workloads.knowledge.plain.multimodal import FigureKind, find_figures
from workloads.knowledge.plain.retrieval import WordIndex


@pytest.fixture(params=["eager", "lazy"])
def twin(request: pytest.FixtureRequest) -> ModuleType:
    """Each twin in turn."""
    return import_module(f"workloads.knowledge.{request.param}")


def chunk(text: str, position: int = 0) -> Chunk:
    return Chunk(document="d", position=position, text=text)


def mention(name: str, position: int) -> Mention:
    return Mention(name=name, document="d", position=position)


# ------------------------------------------------------------------------------------------------- chunks


def test_paragraphs_share_a_chunk_while_they_fit() -> None:
    chunks = split(Document(name="d", text="aaaa\n\nbbbb\n \n\ncccc"), most_characters=10)
    assert chunks == (chunk("aaaa\n\nbbbb", 0), chunk("cccc", 1))


def test_a_paragraph_that_is_too_long_is_wrapped_and_a_word_cut() -> None:
    chunks = split(Document(name="d", text="one two three fourteen"), most_characters=7)
    assert [one.text for one in chunks] == ["one two", "three f", "ourteen"]


@given(st.text(alphabet="ab-. \n\té"), st.integers(1, 12))
def test_chunks_keep_every_character_that_is_no_white_space(text: str, most_characters: int) -> None:
    texts = [one.text for one in split(Document(name="d", text=text), most_characters=most_characters)]
    assert "".join("".join(texts).split()) == "".join(text.split())
    assert all(0 < len(one) <= most_characters for one in texts)


# ------------------------------------------------------------------------------------------------- entities


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Ada Lovelace met Babbage.", ["Ada Lovelace", "Babbage"]),
        ("Then it rained. Nobody came.\nWaves rose.\n- Item\n## Heading", []),
        ("SQLite is kept in `store.py`.", ["SQLite", "store.py"]),
        ("The Analytical Engine, or the Engine", ["Analytical Engine", "Engine"]),
        ("", []),
    ],
)
def test_names_are_found_and_starts_of_sentences_are_not(text: str, names: list[str]) -> None:
    assert [one.name for one in extract(chunk(text))] == names


def test_a_mention_knows_where_it_stands() -> None:
    assert extract(chunk("of `x` and `x`", 3)) == (mention("x", 3), mention("x", 3))


# ------------------------------------------------------------------------------------------------- links, figures


def test_links_of_both_kinds_are_found_once_and_addresses_are_not() -> None:
    text = "[[b]] [b](b.md) [[c d|see]] [e](e.md#part) ![f](f.md) [g](https://example.org/g.md)"
    assert [link.target for link in find_links(Document(name="a", text=text))] == ["b", "c d", "e"]


def test_a_link_to_nowhere_is_broken() -> None:
    documents = [Document(name="a", text="[[b]] [[c]]"), Document(name="b", text="[[a]]")]
    assert broken(documents) == (Link(source="a", target="c"),)


def test_images_code_and_tables_are_found_in_order() -> None:
    text = "```python\nx = '![no]'\n```\n\n| a | b |\n|---|:-:|\n| 1 | 2 |\n\n![a view](v.png)\n"
    found = [(figure.kind, figure.caption) for figure in find_figures(Document(name="d", text=text))]
    assert found == [
        (FigureKind.CODE, "python"),
        (FigureKind.TABLE, "a | b"),
        (FigureKind.IMAGE, "a view"),
    ]


# ------------------------------------------------------------------------------------------------- retrieval


def test_rare_words_and_short_chunks_rank_first() -> None:
    chunks = [chunk("sea sea"), chunk("sea herring", 1), chunk("sea and herring and tide", 2), chunk("x", 3)]
    found = WordIndex(chunks).search("Herring?", n_hits=3)
    assert [hit.chunk.position for hit in found] == [1, 2]
    assert WordIndex(chunks).search("sea herring", n_hits=1)[0].chunk.position == 1


def test_no_chunks_and_no_words_in_common_give_no_hits() -> None:
    assert WordIndex([]).search("a", n_hits=1) == ()
    assert WordIndex([chunk("a")]).search("b", n_hits=1) == ()


# ------------------------------------------------------------------------------------------------- with libraries


def test_vectors_have_length_one_and_unknown_words_have_none(twin: ModuleType) -> None:
    vectors = twin.Embedder(["sea and tide", "herring"], width=16).embed(
        ["sea tide", "Sea, tide!", "moon", ""]
    )
    assert vectors.shape == (4, 16)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx([1, 1, 0, 0], abs=1e-6)
    assert vectors[0] == pytest.approx(vectors[1])


def test_texts_that_share_words_point_the_same_way(twin: ModuleType) -> None:
    texts = ["sea and tide", "tide and moon", "fire"]
    first, second, third = twin.Embedder(texts, width=256).embed(texts)
    assert first @ second > 0.4
    assert abs(first @ third) < 0.2


def test_what_is_named_together_is_related(twin: ModuleType) -> None:
    named = {0: "ab", 1: "ab", 2: "bc", 3: "xy", 4: "z"}
    graph = twin.KnowledgeGraph(
        mention(name, position) for position, names in named.items() for name in names
    )
    assert graph.related("b") == ("a", "c")
    assert graph.related("nobody") == ()
    assert graph.path("a", "c") == ("a", "b", "c")
    assert graph.path("a", "x") == graph.path("a", "nobody") == ()
    assert graph.groups() == (("a", "b", "c"), ("x", "y"), ("z",))


def test_the_store_gives_back_what_it_got(twin: ModuleType) -> None:
    store = twin.KnowledgeStore(KnowledgeConfig().database)
    chunks, mentions = (chunk("one"), chunk("two", 1)), (mention("x", 0), mention("y", 1))
    store.put("d", chunks[::-1], mentions[::-1])
    assert (store.chunks(), store.mentions()) == (chunks, mentions)
    store.put("d", [], [])
    assert (store.chunks(), store.mentions()) == ((), ())
    store.close()


def test_a_chart_has_the_first_summaries_in_their_order(twin: ModuleType) -> None:
    summaries = [EntitySummary(name=f"e{n}", n_mentions=30 - n, n_documents=1) for n in range(30)]
    spec = twin.mention_chart(summaries).to_dict()
    assert spec["title"] == "e0 is mentioned most"
    assert spec["encoding"]["y"]["sort"] == [f"e{n}" for n in range(20)]
    assert len(spec["data"]["values"]) == 20
