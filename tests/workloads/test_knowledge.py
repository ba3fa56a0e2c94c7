"""Do the twins of the knowledge base differ in what they load, and in nothing else?"""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

from workloads.knowledge.plain.config import KnowledgeConfig
from workloads.knowledge.plain.documents import Document
from workloads.knowledge.plain.entities import EntitySummary

TWINS = ["eager", "lazy"]
LIBRARIES = {"altair", "networkx", "numpy", "onnx", "onnxruntime", "polars", "sqlalchemy", "tokenizers"}
FOLDER = Path(import_module("workloads.knowledge").__file__ or "").parent
SUBMODULES = sorted(path.stem for path in (FOLDER / "eager").glob("*.py") if path.stem != "__init__")

ENGINE = Document(
    name="engine",
    text="The Analytical Engine was designed by Charles Babbage. It had a `mill` and a store.",
)
NOTES = Document(
    name="notes",
    text="Ada Lovelace wrote notes on the Analytical Engine of Charles Babbage.\n\nSee [[engine]].",
)
SEA = Document(name="sea", text="The tides of the North Sea carry herring.")


def in_fresh_process(code: str) -> str:
    """What a new interpreter prints that has imported nothing yet; warnings are errors there too."""
    environment = {**os.environ, "PYTHONPATH": str(FOLDER.parents[1])}
    command = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def libraries_after(statement: str) -> set[str]:
    """Which of the LIBRARIES a new interpreter has loaded after one statement."""
    printed = in_fresh_process(f"{statement}\nimport json, sys\nprint(json.dumps(list(sys.modules)))")
    return LIBRARIES & set(json.loads(printed))


@pytest.fixture(params=TWINS)
def twin(request: pytest.FixtureRequest) -> ModuleType:
    """Each twin in turn."""
    return import_module(f"workloads.knowledge.{request.param}")


# ------------------------------------------------------------------------------------------------- what is loaded


def test_the_settings_of_the_eager_twin_load_every_library() -> None:
    statement = "from workloads.knowledge.eager.config import KnowledgeConfig"
    assert libraries_after(statement) == LIBRARIES


def test_no_module_of_the_lazy_twin_loads_a_library() -> None:
    for_all = ", ".join(f"workloads.knowledge.lazy.{name}" for name in SUBMODULES)
    assert libraries_after("from workloads.knowledge.lazy.config import KnowledgeConfig") == set()
    assert libraries_after(f"import {for_all}") == set()


def test_neither_does_asking_the_lazy_twin_for_every_name() -> None:
    assert libraries_after("from workloads.knowledge.lazy import *") == set()


def test_a_function_of_the_lazy_twin_loads_what_it_uses_and_no_more() -> None:
    statement = "from workloads.knowledge.lazy import KnowledgeGraph\nKnowledgeGraph([])"
    assert "networkx" in libraries_after(statement)
    assert libraries_after(statement).isdisjoint({"altair", "onnxruntime", "polars", "sqlalchemy"})


@pytest.mark.parametrize(("name", "loaded"), [("eager", LIBRARIES), ("lazy", set())])
def test_the_conftest_of_the_knowledge_base_loads_what_its_twin_does(name: str, loaded: set[str]) -> None:
    choice = f"import os\nos.environ['KNOWLEDGE_TWIN'] = {name!r}\n"
    assert libraries_after(choice + "import workloads.knowledge.tests.conftest") == loaded


@pytest.mark.parametrize("name", TWINS)
def test_the_suite_of_the_knowledge_base_passes_with_each_twin(name: str, repository: Path) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "workloads/knowledge/tests"]
    environment = {**os.environ, "KNOWLEDGE_TWIN": name}
    done = subprocess.run(command, cwd=repository, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout


def test_the_suite_says_which_twins_there_are(repository: Path) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "workloads/knowledge/tests"]
    environment = {**os.environ, "KNOWLEDGE_TWIN": "both"}
    done = subprocess.run(command, cwd=repository, env=environment, capture_output=True, text=True)
    assert done.returncode != 0
    assert "KNOWLEDGE_TWIN is 'both'. Hint: KNOWLEDGE_TWIN=eager" in done.stdout + done.stderr


# ------------------------------------------------------------------------------------------------- what is the same


def code_of(path: Path) -> str:
    """A module without its imports, and without what says whether Polars is there."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        for name, value in ast.iter_fields(node):
            if isinstance(value, list):
                kept = [child for child in value if not is_about_imports(child)]
                setattr(node, name, kept)
    return ast.unparse(tree)


def is_about_imports(node: object) -> bool:
    if isinstance(node, ast.If):
        return ast.unparse(node.test) == "TYPE_CHECKING"
    if isinstance(node, ast.Try):
        return isinstance(node.body[0], ast.Import)
    if isinstance(node, ast.Assign):
        return ast.unparse(node.targets[0]) == "POLARS_AVAILABLE"
    return isinstance(node, ast.Import | ast.ImportFrom)


@pytest.mark.parametrize("name", SUBMODULES)
def test_less_its_imports_a_module_is_the_same_in_both_twins(name: str) -> None:
    eager, lazy = (code_of(FOLDER / twin / f"{name}.py") for twin in TWINS)
    shared = f"see `plain.{name}`." in eager
    assert eager == lazy
    assert shared == (FOLDER / "plain" / f"{name}.py").exists()


def test_the_twins_have_the_same_modules_and_names() -> None:
    eager, lazy = (import_module(f"workloads.knowledge.{name}") for name in TWINS)
    assert sorted(path.stem for path in (FOLDER / "lazy").glob("*.py")) == ["__init__", *SUBMODULES]
    assert eager.__all__ == lazy.__all__
    assert set(lazy.__all__) <= set(dir(lazy)) & set(dir(eager))
    for name in eager.__all__:
        assert type(getattr(lazy, name)) is type(getattr(eager, name))


def test_a_name_that_is_not_there_is_an_attribute_error(twin: ModuleType) -> None:
    with pytest.raises(AttributeError, match=rf"module '{twin.__name__}' has no attribute 'nothing'"):
        _ = twin.nothing


# ------------------------------------------------------------------------------------------------- what it answers


def test_a_knowledge_base_answers_relates_and_counts(twin: ModuleType) -> None:
    with twin.KnowledgeBase() as knowledge:
        for document in [SEA, ENGINE, NOTES]:
            knowledge.add(document)
        hits = knowledge.ask("Who designed a mill?")
        related = knowledge.related("Charles Babbage")
        summary = knowledge.summary()
        chart = knowledge.chart().to_dict()
    assert hits[0].chunk.document == "engine"
    assert hits[0].score == pytest.approx(2 / 61)  # the first by words and by vectors
    assert related == ("Analytical Engine", "Ada Lovelace", "mill")
    assert summary == (
        EntitySummary(name="Analytical Engine", n_mentions=2, n_documents=2),
        EntitySummary(name="Charles Babbage", n_mentions=2, n_documents=2),
        EntitySummary(name="Ada Lovelace", n_mentions=1, n_documents=1),
        EntitySummary(name="North Sea", n_mentions=1, n_documents=1),
        EntitySummary(name="mill", n_mentions=1, n_documents=1),
    )
    assert [row["name"] for row in chart["data"]["values"]] == [one.name for one in summary]


def test_an_empty_knowledge_base_has_no_answers(twin: ModuleType) -> None:
    with twin.KnowledgeBase() as knowledge:
        assert knowledge.ask("Who?") == ()
        assert knowledge.summary() == ()
        assert knowledge.chart().to_dict()["title"] == "Nothing is mentioned"


def test_a_document_takes_the_place_of_one_with_its_name(twin: ModuleType) -> None:
    with twin.KnowledgeBase() as knowledge:
        knowledge.add(ENGINE)
        knowledge.add(Document(name="engine", text="Of `steam`."))
        assert [one.name for one in knowledge.summary()] == ["steam"]


def test_the_settings_bound_chunks_and_answers(twin: ModuleType) -> None:
    with twin.KnowledgeBase(KnowledgeConfig(chunk_characters=30, n_hits=2)) as knowledge:
        knowledge.add(ENGINE)
        hits = knowledge.ask("the engine and the mill")
    assert len(hits) == 2
    assert max(len(hit.chunk.text) for hit in hits) <= 30


def test_a_database_on_disk_keeps_what_was_added(twin: ModuleType, tmp_path: Path) -> None:
    config = KnowledgeConfig(database=f"sqlite:///{tmp_path / 'knowledge.db'}")
    with twin.KnowledgeBase(config) as knowledge:
        knowledge.add(NOTES)
    with twin.KnowledgeBase(config) as again:
        assert [hit.chunk.document for hit in again.ask("notes")] == ["notes"]


def test_both_twins_give_the_same_to_the_last_digit() -> None:
    eager, lazy = (import_module(f"workloads.knowledge.{name}") for name in TWINS)
    said = []
    for module in [eager, lazy]:
        with module.KnowledgeBase() as knowledge:
            for document in [SEA, ENGINE, NOTES]:
                knowledge.add(document)
            hits, chart = knowledge.ask("engine of Babbage"), knowledge.chart().to_json()
        said.append((hits, chart, module.Embedder(["a b"], width=4).embed(["a", "b b", "c"]).tolist()))
    assert said[0] == said[1]


# ------------------------------------------------------------------------------------------------- without Polars


@pytest.mark.parametrize("name", TWINS)
def test_without_polars_the_package_imports_and_still_counts(name: str) -> None:
    code = f"""
import sys
sys.modules["polars"] = None
import workloads.knowledge.{name} as twin
mention = twin.Mention(name="mill", document="engine", position=0)
print(twin.POLARS_AVAILABLE, [one.n_mentions for one in twin.summarise([mention])])
try:
    twin.mention_frame([mention])
except ImportError as error:
    print(error)
"""
    assert in_fresh_process(code).splitlines() == [
        "False [1]",
        "Frames need Polars. Hint: pip install polars.",
    ]


def test_with_polars_the_counts_are_those_without(twin: ModuleType) -> None:
    mentions = [
        twin.Mention(name=name, document=document, position=0)
        for name, document in [("b", "x"), ("a", "x"), ("c", "x"), ("c", "x"), ("c", "y"), ("a", "y")]
    ]
    assert twin.POLARS_AVAILABLE
    assert twin.mention_frame(mentions).shape == (6, 3)
    assert twin.summarise(mentions) == twin.count(mentions)
    assert twin.summarise([]) == ()
