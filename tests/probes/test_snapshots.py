"""The log of snapshots: ids are said once, what is torn is lost alone."""

from __future__ import annotations

import errno
import os
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from diagtools.probes import snapshots
from tests.support.tracked import parsed


@pytest.fixture(autouse=True)
def _traced() -> Iterator[None]:
    was_tracing = tracemalloc.is_tracing()
    tracemalloc.start(3)
    yield
    if not was_tracing:
        tracemalloc.stop()


def log_of(folder: Path) -> Path:
    return folder / snapshots.LOG_GLOB.replace("*", str(os.getpid()))


def test_a_later_snapshot_only_adds(tmp_path: Path) -> None:
    log = snapshots.Log(str(tmp_path))
    kept = [bytearray(1 << 20)]
    log.write(1, ("phase", "begin"), b"one")
    first = log_of(tmp_path).read_bytes()
    kept.append(bytearray(2 << 20))
    log.write(2, ("item", "end"), b"two\\n")
    data = log_of(tmp_path).read_bytes()

    assert data.startswith(first)
    shown = parsed(data)
    assert [(each.index, each.kind, each.edge, each.label) for each in shown] == [
        (0, "phase", "begin", "one"),
        (1, "item", "end", "two\n"),
    ]
    sizes = [sorted(site.size >> 20 for site in each.sites if site.size >= 1 << 20) for each in shown]
    assert sizes == [[1], [1, 2]]
    del kept


def test_every_kind_of_line_has_its_declared_fields(tmp_path: Path) -> None:
    snapshots.Log(str(tmp_path)).write(1, ("exit", ""), b"")
    lines = log_of(tmp_path).read_text().splitlines()
    assert {line.split("\t")[0] for line in lines} == set(snapshots.FIELDS)
    assert all(
        len(rest) == len(snapshots.FIELDS[kind]) for kind, *rest in (line.split("\t") for line in lines)
    )


def test_a_write_that_fails_begins_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = snapshots.Log(str(tmp_path))
    write = os.write

    def full(fd: int, data: bytes) -> int:
        if len(data) < 400:
            return write(fd, data)
        write(fd, data[:300])
        raise OSError(errno.ENOSPC, "full")

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", full)
        with pytest.raises(OSError, match="full"):
            log.write(1, ("phase", "end"), b"lost")
    log.write(2, ("phase", "end"), b"kept")

    data = log_of(tmp_path).read_bytes()
    assert data.count(b"\nstart\t") == 1
    assert [each.label for each in parsed(data)] == ["kept"]


def test_bits_that_flip_are_seen(tmp_path: Path) -> None:
    snapshots.Log(str(tmp_path)).write(1, ("exit", ""), b"")
    data = log_of(tmp_path).read_bytes()
    at = data.index(b"site\t") + 7
    assert len(parsed(data)) == 1
    assert parsed(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]) == []


def test_a_file_name_that_is_no_text(tmp_path: Path) -> None:
    names: dict[str, object] = {}
    exec(compile("kept = bytearray(1 << 20)", "odd\tname\udcff.py", "exec"), names)
    snapshots.Log(str(tmp_path)).write(1, ("exit", ""), b"")
    (shown,) = parsed(log_of(tmp_path).read_bytes())
    (site,) = [each for each in shown.sites if each.size >= 1 << 20]
    assert site.frames[0] == "odd\tname\udcff.py:1"
