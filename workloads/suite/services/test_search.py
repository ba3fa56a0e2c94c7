"""Does the search rank, bound and repeat its answers?"""

import numpy as np
import pytest

from workloads.suite.search import Embeds, Search, share_found

TEXTS = {
    "add.py": "def add(left, right): return left + right",
    "read.py": "def read(path): return path.read_text()",
    "send.py": "def send(socket, message): socket.sendall(message)",
}


@pytest.fixture
def search(embedder: Embeds) -> Search:
    """Over three functions."""
    return Search(embedder, TEXTS)


@pytest.mark.parametrize("name", TEXTS)
def test_a_text_is_the_nearest_to_itself(search: Search, name: str) -> None:
    """With any embedder that is worth its name."""
    assert search.ask(TEXTS[name], n=1) == [name]


def test_there_are_as_many_answers_as_asked_for(search: Search) -> None:
    """But never more than there are texts, and each once."""
    assert len(search.ask("anything", n=2)) == 2
    assert sorted(search.ask("anything", n=9)) == sorted(TEXTS)


def test_a_question_asked_twice_has_one_answer(search: Search) -> None:
    """In the same order."""
    assert search.ask("read a file") == search.ask("read a file")


def test_what_was_found_is_a_share(search: Search) -> None:
    """One of two questions has its text first."""
    questions = [(TEXTS["add.py"], "add.py"), (TEXTS["add.py"], "read.py")]
    assert share_found(search, questions) == 0.5
    assert share_found(search, questions, n=3) == 1


def test_vectors_have_the_length_one(embedder: Embeds) -> None:
    """So that a product of two is their cosine."""
    lengths = np.linalg.norm(embedder.embed(list(TEXTS.values())), axis=1)
    assert lengths == pytest.approx([1, 1, 1], abs=1e-5)
