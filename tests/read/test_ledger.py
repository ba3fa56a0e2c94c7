"""Files of snapshots: read as they were written, or refused; never half believed."""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from diagtools.errors import DamagedError
from diagtools.probes import heap
from diagtools.read.ledger import read_ledger, read_ledgers
from diagtools.values import State
from tests.support.damage import cuts, flips
from tests.support.ledgers import taken

SMALL = """
kept = [bytes(2048) for _ in range(5000)]
snapshot("small")
"""


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """A snapshot of a small program, in a folder of its own."""
    (found,) = taken(SMALL).folder.iterdir()
    path = tmp_path / found.name
    path.write_bytes(found.read_bytes())
    return path


def rewritten(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """The same snapshot with something changed by somebody who knows the checksum."""
    raw = json.loads(path.read_bytes())
    del raw["crc"]
    change(raw)
    body = json.dumps(raw).encode()[:-1]
    path.write_bytes(body + b'%s%08x"}\n' % (heap.SEAL, zlib.crc32(body)))


def test_a_snapshot_is_read_as_it_was_written(written: Path) -> None:
    found = read_ledger(written.parent, written.name, 400_000_000)
    row = found.snapshots.row(0, named=True)
    assert (row["t_s"], row["moment"], row["label"]) == (0.6, "phase end", "small")
    assert (row["origin"], row["libc"], row["is_searched"], row["missing"]) == ("inside", "glibc", True, [])
    assert row["c_system_bytes"] > 5000 * 2096
    assert row["c_free_bytes"] < row["c_system_bytes"]
    assert row["python_used_bytes"] + row["python_available_bytes"] <= row["python_arena_bytes"]
    assert found.mappings["rss_bytes"].sum() > 10 << 20
    assert set(found.claims["kind"]) >= {"", "pool"}
    assert found.validity == ()


def test_a_file_that_was_cut_or_changed_is_refused(written: Path) -> None:
    data = written.read_bytes()
    for damaged in [*cuts(data), *(each for _, each in flips(data))]:
        written.write_bytes(damaged)
        with pytest.raises(DamagedError):
            read_ledger(written.parent, written.name, 0)


def test_a_damaged_file_is_left_out_and_said(written: Path) -> None:
    pid = written.name.split(".")[1]
    (written.parent / f"heap.{pid}.1.json").write_bytes(written.read_bytes()[:-20])
    (written.parent / f"heap.{pid}.0.json.new").write_bytes(b"{")
    (written.parent / "heap.x.0.json").write_bytes(b"{")
    found = read_ledgers(written.parent, 0)
    assert found.snapshots.height == 1
    assert [(each.what, each.state) for each in found.validity] == [(f"heap.{pid}.1.json", State.SKIPPED)]


def test_where_none_can_be_read_that_is_an_error_with_a_hint(written: Path) -> None:
    written.write_bytes(b"")
    with pytest.raises(DamagedError, match=r"None of the 1 snapshots .* Hint: record again"):
        read_ledgers(written.parent, 0)


def test_a_folder_without_snapshots_has_empty_frames(tmp_path: Path) -> None:
    found = read_ledgers(tmp_path, 0)
    assert (found.snapshots.height, found.mappings.height, found.validity) == (0, 0, ())


def test_a_newer_format_says_what_reads_it(written: Path) -> None:
    rewritten(written, lambda raw: raw.update(format=heap.FORMAT + 1))
    with pytest.raises(DamagedError, match=r"format 2, this version reads up to 1\. Hint: pip install"):
        read_ledger(written.parent, written.name, 0)


@pytest.mark.parametrize(
    "change",
    [
        lambda raw: raw.update(pid=raw["pid"] + 1),
        lambda raw: raw.update(index=-1),
        lambda raw: raw.update(pid="7"),
        lambda raw: raw.update(format="1"),
        lambda raw: raw.update(mapping_fields=["start"]),
        lambda raw: raw.update(mappings=[]),
        lambda raw: raw.update(mappings={"a": 1}),
        lambda raw: raw.update(mappings=[{}]),
        lambda raw: raw["mappings"][0].append(1),
        lambda raw: raw["mappings"][0].__setitem__(0, "start"),
        lambda raw: raw["mappings"][0].__setitem__(7, -1),
        lambda raw: raw["mappings"][0].__setitem__(7, 2**70),
        lambda raw: raw["mappings"][0].__setitem__(7, None),
        lambda raw: raw["mappings"][0].__setitem__(7, 1e9),
        lambda raw: raw["mappings"].reverse(),
        lambda raw: raw["claims"][0].__setitem__(0, 10**6),
        lambda raw: raw["claims"][0].__setitem__(1, "mine"),
        lambda raw: raw["claims"][0].__setitem__(4, raw["claims"][0][3] + 1),
        lambda raw: raw["claims"].append(raw["claims"][0]),
        lambda raw: raw.update(claims="all"),
        lambda raw: raw.update(claim_fields=[]),
    ],
)
def test_what_no_probe_writes_is_refused(change: Callable[[dict[str, Any]], object], written: Path) -> None:
    rewritten(written, change)
    with pytest.raises(DamagedError):
        read_ledger(written.parent, written.name, 0)


@pytest.mark.parametrize(
    ("change", "column"),
    [
        (lambda raw: raw.update(malloc={"heaps": [[1, 2]], "bins": [], "mmapped": [0, 0]}), "c_system_bytes"),
        (lambda raw: raw.update(malloc={"heaps": "x"}), "c_free_bytes"),
        (lambda raw: raw.update(malloc=[]), "c_system_bytes"),
        (lambda raw: raw.update(arenas={"used_bytes": "many"}, pools_found=None), "python_used_bytes"),
        (lambda raw: raw.update(trim=[1, "x"]), "trim_before_bytes"),
        (lambda raw: raw.update(t_ns=None), "t_s"),
    ],
)
def test_a_figure_that_is_none_is_null(
    change: Callable[[dict[str, Any]], object], column: str, written: Path
) -> None:
    rewritten(written, change)
    found = read_ledger(written.parent, written.name, 0)
    assert found.snapshots[column].to_list() == [None]


def test_text_of_any_kind_stays_text(written: Path) -> None:
    rewritten(written, lambda raw: raw.update(label="\ud800<b>", missing=["\ud800"]))
    row = read_ledger(written.parent, written.name, 0).snapshots.row(0, named=True)
    assert (row["label"], row["missing"]) == ("?<b>", ["?"])


def test_deep_nesting_and_long_numbers_are_refused(written: Path) -> None:
    for body in (b"[" * 100_000, b'{"format":' + b"9" * 10_000):
        written.write_bytes(body + b'%s%08x"}\n' % (heap.SEAL, zlib.crc32(body)))
        with pytest.raises(DamagedError):
            read_ledger(written.parent, written.name, 0)


def test_a_file_larger_than_any_snapshot_is_not_read(written: Path) -> None:
    os.truncate(written, 33 << 20)
    with pytest.raises(DamagedError, match="larger than any snapshot"):
        read_ledger(written.parent, written.name, 0)


def test_a_link_that_leads_out_of_the_folder_is_not_followed(written: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    (run / written.name).symlink_to(written)
    with pytest.raises(DamagedError, match="None of the 1 snapshots"):
        read_ledgers(run, 0)


def test_libraries_with_a_pool_are_known_by_their_files(written: Path) -> None:
    def load(raw: dict[str, Any]) -> None:
        names = ["/x/_polars_runtime.abi3.so", "/x/libarrow.so.2600", "/x/onnxruntime_pybind11_state.so"]
        for row, name in zip(raw["mappings"], names, strict=False):
            row[6] = name

    rewritten(written, load)
    row = read_ledger(written.parent, written.name, 0).snapshots.row(0, named=True)
    assert row["libraries"] == ["onnxruntime", "polars", "pyarrow"]
