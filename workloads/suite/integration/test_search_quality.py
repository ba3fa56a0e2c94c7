"""Does the search find the function that a question in plain words asks for?"""

import pytest

from workloads.suite.search import Embeds, Search, share_found

pytestmark = pytest.mark.use_real_models

FUNCTIONS = {
    "retry": "def retry(call, attempts):\n    for _ in range(attempts):\n        try: return call()\n"
    "        except OSError: time.sleep(1)",
    "checksum": "def checksum(path):\n    return hashlib.sha256(path.read_bytes()).hexdigest()",
    "resize": "def resize(image, width):\n    return image.resize((width, image.height * width // image.width))",
    "login": "def login(user, password):\n    if verify(user.password_hash, password): session['user'] = user.id",
    "parse_date": "def parse_date(text):\n    return datetime.strptime(text, '%Y-%m-%d').date()",
    "median": "def median(values):\n    ordered = sorted(values)\n    return ordered[len(ordered) // 2]",
}
QUESTIONS = [
    ("try again after a network failure", "retry"),
    ("verify that a file has not changed", "checksum"),
    ("make a picture smaller", "resize"),
    ("authenticate somebody", "login"),
    ("convert a string to a calendar day", "parse_date"),
    ("the middle number of a list", "median"),
]


def test_most_questions_find_their_function_first(embedder: Embeds) -> None:
    """Five of six is what MiniLM is worth here; a search by words finds none."""
    search = Search(embedder, FUNCTIONS)
    assert share_found(search, QUESTIONS) >= 5 / 6


def test_every_question_finds_its_function_among_the_first_three(embedder: Embeds) -> None:
    """That is what a page of answers shows."""
    search = Search(embedder, FUNCTIONS)
    assert share_found(search, QUESTIONS, n=3) == 1


def test_a_name_does_not_decide(embedder: Embeds) -> None:
    """A function called otherwise is found by what it does."""
    renamed = {name: text.replace(f"def {name}(", "def run(") for name, text in FUNCTIONS.items()}
    assert share_found(Search(embedder, renamed), QUESTIONS, n=3) >= 5 / 6
