"""A file is told by how it begins, and what is not read is refused with what to do."""

from __future__ import annotations

import gzip
import os
import pickle
import tracemalloc
from contextlib import suppress
from pathlib import Path

import pytest

from diagtools.errors import DamagedError, DiagtoolsError, UsageError
from diagtools.profile import Source
from diagtools.read.profiles.export_file import content_of
from diagtools.read.profiles.kinds import kind_of
from tests.support.damage import CAPTURES


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("program.memray", Source.MEMRAY),
        ("aggregated.memray", Source.MEMRAY),
        ("flamegraph.html", Source.MEMRAY_FLAMEGRAPH),
        ("inverted.html", Source.MEMRAY_FLAMEGRAPH),
        ("temporal.html", Source.MEMRAY_FLAMEGRAPH),
        ("table.html", Source.MEMRAY_TABLE),
        ("memray.csv", Source.MEMRAY_CSV),
        ("memray.speedscope", Source.SPEEDSCOPE),
        ("py-spy.speedscope", Source.SPEEDSCOPE),
        ("py-spy.folded", Source.FOLDED),
        ("austin.folded", Source.FOLDED),
        ("austin-memory.folded", Source.FOLDED),
        ("fil.folded", Source.FOLDED),
        ("program.pstats", Source.PSTATS),
    ],
)
def test_real_files_whatever_their_names(name: str, kind: Source, tmp_path: Path) -> None:
    path = tmp_path / "unnamed"
    path.write_bytes((CAPTURES / name).read_bytes())
    assert kind_of(path) is kind


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"memray\0\x0d\0\0\0", Source.MEMRAY),
        (b"<module> (app.py:1);main (app.py:2) 3\n", Source.FOLDED),
        (b"[unknown];main 3\n", Source.FOLDED),
        (b"main;load 3", Source.FOLDED),
        (b"main;load -3\n", Source.FOLDED),
        (b'\xef\xbb\xbf {"profiles": []', Source.SPEEDSCOPE),
        (b"start\t1\t2\t3.11.7\t10\n", Source.TRACEMALLOC),
        (b"{(\x03\x00\x00\x00", Source.PSTATS),
    ],
)
def test_small_files(data: bytes, kind: Source, tmp_path: Path) -> None:
    path = tmp_path / "unnamed"
    path.write_bytes(data)
    assert kind_of(path) is kind


REFUSED = [
    (gzip.compress(b"main 1\n", mtime=0), "compressed with gzip", "gunzip -k unnamed"),
    (b"PK\x03\x04", "zip", "unpack"),
    (b"\x89PNG\r\n", "picture", "export"),
    (b"\x7fELF", "program", "profiler wrote"),
    (b"\xff\xfem\0", "UTF-16", "UTF-8"),
    (pickle.dumps([1]), "a pickle", "data only"),
    (pickle.dumps(tracemalloc.Snapshot([], 1)), "pickled snapshot of tracemalloc", "from_snapshot"),
    (pickle.dumps(tracemalloc.Snapshot([], 1), 0), "pickled snapshot of tracemalloc", "from_snapshot"),
    (b"<!DOCTYPE html><title>Fil</title>", "not one of memray's", "memray flamegraph"),
    (b"<?xml version='1.0'?><svg>", "not one of memray's", "peak-memory.prof"),
    (b'{"costs": [], "version": 0}', "gprof2dot", "memray transform csv"),
    (b'{"traceEvents": []}', "trace of events", "speedscope"),
    (b'{"a": 1}', "JSON of a kind", "read are"),
    (b"import os\n", "not folded stacks", "read are"),
    (b"a\0b", "binary", "read are"),
    (b"\x04\x22\x4d\x18" + bytes(60), "binary", "read are"),
]


@pytest.mark.parametrize(("data", "message", "hint"), REFUSED, ids=[row[1] for row in REFUSED])
def test_what_is_not_read_is_refused_with_what_to_do(
    data: bytes, message: str, hint: str, tmp_path: Path
) -> None:
    path = tmp_path / "unnamed"
    path.write_bytes(data)
    with pytest.raises(UsageError, match=message) as refused:
        kind_of(path)
    assert hint in (refused.value.hint or "")


def test_what_is_no_plain_file_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    for path in (tmp_path / "fifo", tmp_path, Path("/dev/zero"), tmp_path / "missing", Path("a\0b")):
        with pytest.raises(UsageError):
            kind_of(path)


def test_an_empty_file_is_damaged(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    with pytest.raises(DamagedError, match="is empty"):
        kind_of(tmp_path / "empty")


def test_a_file_larger_than_is_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "large"
    path.write_bytes(b"main 1\n" * 3)
    assert content_of(path, max_bytes=21) == path.read_bytes()
    with pytest.raises(UsageError, match="is larger than"):
        content_of(path, max_bytes=20)


@pytest.mark.parametrize(
    "name", sorted(path.name for path in CAPTURES.iterdir() if path.suffix not in (".py", ".md", ".parquet"))
)
def test_the_first_bytes_of_a_file_are_never_too_few(name: str, tmp_path: Path) -> None:
    data, path = (CAPTURES / name).read_bytes(), tmp_path / "cut"
    for n in range(1, 60):
        path.write_bytes(data[:n])
        with suppress(DiagtoolsError):
            assert isinstance(kind_of(path), Source)
