"""What is known of an indexer comes from its run, from its user, or is not known."""

from __future__ import annotations

from pathlib import Path

import pytest

from diagtools.errors import NotARunError, UsageError
from diagtools.investigations.indexer import Indexer, indexer_of
from diagtools.run import Run

INCIDENT = Path(__file__).resolve().parents[2] / "data" / "runs" / "incident-killed"


def known(root: Path, **options: object) -> Indexer:
    """What is known with these options, the others left out."""
    given = dict.fromkeys(("learn", "base", "chunk_cost", "chunk_chars"))
    return indexer_of(root, **{**given, **options})  # type: ignore[arg-type]


def test_the_recorded_incident_tells_its_cost_a_chunk_and_its_kinds_of_files(tmp_path: Path) -> None:
    """Its files are elsewhere: what it told of them itself is enough."""
    found = known(tmp_path, learn=INCIDENT)
    assert found.model is not None
    assert (found.model.column, found.model.seen, found.model.n_items) == ("n_chunks", 58, 194)
    assert found.model.bytes_per_unit == pytest.approx(10.26 * 2**20, rel=0.01)
    assert found.model.floor_bytes == 0  # it was killed in an item: its peak is that item's
    assert (found.suffixes, found.chunk_chars, found.source) == ({".js", ".py"}, 2_000, "incident-killed")


def test_what_is_doubtful_of_the_run_is_told_with_its_name(tmp_path: Path) -> None:
    run = Run.open(INCIDENT)
    doubtful = [one for one in run.validity if str(one.state) != "complete"]
    told = known(tmp_path, learn=run).validity
    assert [one.what for one in told] == [f"incident-killed, {one.what}" for one in doubtful]


def test_nothing_given_is_nothing_known(tmp_path: Path) -> None:
    assert known(tmp_path) == Indexer()
    assert known(tmp_path, chunk_chars=500) == Indexer(chunk_chars=500)


def test_a_cost_that_is_given_is_the_model(tmp_path: Path) -> None:
    model = known(tmp_path, base="100MiB", chunk_cost="2MiB").model
    assert model is not None
    assert (model.intercept_bytes, model.bytes_per_unit, model.seen) == (100 * 2**20, 2 * 2**20, None)


def test_what_makes_no_sense_together_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not both"):
        known(tmp_path, learn=INCIDENT, chunk_cost="1MiB")
    with pytest.raises(UsageError, match="--base alone"):
        known(tmp_path, base="1MiB")
    with pytest.raises(NotARunError):
        known(tmp_path, learn=tmp_path)
