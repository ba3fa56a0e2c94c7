"""Do the pinned corpora still follow from their rules?"""

from collections import Counter
from pathlib import Path

import pytest

from workloads.rag.chunking import chunk
from workloads.rag.corpora import FOLDER, RULES, Rule
from workloads.rag.corpus import Corpus, SourceFile, read_text
from workloads.rag.filters import Reason, select
from workloads.rag.manifest import open_manifest, read_manifest
from workloads.rag.symbols import outline

BY_NAME = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)


@BY_NAME
def test_a_manifest_is_what_its_rule_makes(rule: Rule) -> None:
    undrifted(rule.name)
    assert rule.manifest() == read_manifest(FOLDER / f"{rule.name}.json")


@BY_NAME
def test_a_manifest_is_sorted_and_names_no_place_of_this_machine(rule: Rule) -> None:
    path = FOLDER / f"{rule.name}.json"
    paths = [entry.path for entry in read_manifest(path).files]
    assert paths == sorted(paths)
    assert str(Path.home()) not in path.read_text()


def test_no_manifest_is_without_a_rule() -> None:
    assert {path.stem for path in FOLDER.glob("*.json")} == {rule.name for rule in RULES}


def test_the_incident_is_the_one_that_was_measured() -> None:
    manifest = read_manifest(FOLDER / "incident.json")
    assert manifest.digest.startswith("75e9744c22ef")
    assert [entry.path for entry in manifest.files].index("widgetsnbextension/static/extension.js") == 195
    assert len(manifest.files) == 262


def undrifted(name: str) -> Corpus:
    corpus = open_manifest(FOLDER / f"{name}.json")
    if corpus.drift:
        pytest.skip(f"other packages than pinned: {corpus.drift[0]}")
    return corpus


def n_chunks(file: SourceFile) -> int:
    text = read_text(file)
    return len(chunk(text, outline(text, file.relative).symbols).chunks)


def test_the_incident_has_the_measured_files_chunks_and_products() -> None:
    corpus = undrifted("incident")
    generated = select(corpus.files, corpus.root, exclude_generated=True).excluded
    assert Counter(out.reason for out in generated) == {Reason.GENERATED_NAME: 127, Reason.GENERATED_SHAPE: 1}
    assert select(corpus.files, corpus.root, exclude_generated=False).excluded == ()
    assert sum(map(n_chunks, corpus.files)) == 1_887
    assert n_chunks(corpus.files[195]) == 479


@pytest.mark.parametrize(
    ("name", "killer", "chunks", "generated"),
    [
        ("incident-small", "widgetsnbextension/static/extension.js", 479, True),
        ("planted-handwritten", "huggingface_hub/hf_api.py", 437, False),
        ("planted-arena", "polars/series/series.py", 186, False),
    ],
)
def test_a_killer_is_what_it_was_planted_as(name: str, killer: str, chunks: int, generated: bool) -> None:
    corpus = undrifted(name)
    largest = max(corpus.files, key=n_chunks)
    assert (largest.relative, n_chunks(largest)) == (killer, chunks)
    chosen = select(corpus.files, corpus.root, exclude_generated=True)
    assert (largest in chosen.selected) is not generated
    assert chosen.excluded
