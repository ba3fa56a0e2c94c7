"""Do the pinned corpora still follow from their rules?"""

from pathlib import Path

import pytest

from workloads.rag.corpora import FOLDER, RULES, Rule
from workloads.rag.manifest import open_manifest, read_manifest

BY_NAME = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)


@BY_NAME
def test_a_manifest_is_what_its_rule_makes(rule: Rule) -> None:
    path = FOLDER / f"{rule.name}.json"
    if drift := open_manifest(path).drift:
        pytest.skip(f"other packages than pinned: {drift[0]}")
    assert rule.manifest() == read_manifest(path)


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
