"""What a process wrote that loaded a model: whole lines are believed, all others are left out and said."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import pytest

from diagtools.errors import DamagedError, NoDataError
from diagtools.probes import model_readings as probe
from diagtools.read.models import read_models

START = ("start", 5, 42, "3.11.7", "alone", "mine:load", "mine:infer")
LOAD = ("phase", "load", -1, 2_000_000_000, 1_500_000_000, 100, 300, 200, 120, 70, 10)
BLIND = ("phase", "batch", 4, 1, 1, -1, -1, -1, -1, -1, -1)
END = ("end", 2)


def line(*fields: object) -> bytes:
    body = "\t".join(map(str, fields)).encode()
    return b"%b\t%08x\n" % (body, zlib.crc32(body))


def written(folder: Path, *lines: tuple[object, ...] | bytes) -> Path:
    raw = [one if isinstance(one, bytes) else line(*one) for one in lines]
    (folder / probe.NAME).write_bytes(b"".join(raw))
    return folder


def test_phases_are_in_seconds_and_bytes_and_the_unknown_is_null(tmp_path: Path) -> None:
    log = read_models(written(tmp_path, START, LOAD, BLIND, END))
    assert (log.mode, log.loader, log.infer, log.python) == ("alone", "mine:load", "mine:infer", "3.11.7")
    load, blind = log.phases.to_dicts()
    assert load == {
        "phase": "load",
        "n_inputs": None,
        "wall_s": 2.0,
        "cpu_s": 1.5,
        "rss_before_bytes": 100,
        "peak_bytes": 300,
        "rss_after_bytes": 200,
        "anon_bytes": 120,
        "file_bytes": 70,
        "shmem_bytes": 10,
    }
    assert blind["n_inputs"] == 4
    assert blind["peak_bytes"] is None
    assert log.is_ended
    assert log.validity == ()


def test_two_processes_are_rows(tmp_path: Path) -> None:
    log = read_models(
        written(tmp_path, START, ("process", "parent", 9, 7, 5, 8), ("process", "child", 6, -1, 2, 8))
    )
    assert log.processes.rows() == [("parent", 9, 7, 5, 8), ("child", 6, None, 2, 8)]
    assert not log.is_ended


def test_a_failure_is_read_with_its_kind(tmp_path: Path) -> None:
    log = read_models(
        written(tmp_path, START, ("failed", "load", "odd", "a.py:3", "ValueError: no\\n weights"))
    )
    assert log.failure is not None
    assert (log.failure.phase, log.failure.kind, log.failure.text) == (
        "load",
        "raised",
        "ValueError: no\n weights",
    )
    assert log.is_ended


def test_every_cut_gives_what_is_whole(tmp_path: Path) -> None:
    data = b"".join([line(*START), line(*LOAD), line(*END)])
    first = len(line(*START))
    whole = first + len(line(*LOAD)) - 1  # its end of line may be missing
    for n in range(first, len(data) - 1):
        (tmp_path / probe.NAME).write_bytes(data[:n])
        log = read_models(tmp_path)
        assert log.phases.height == (n >= whole)
        assert not log.is_ended


def test_a_flipped_bit_loses_its_line_alone(tmp_path: Path) -> None:
    for at in range(len(line(*LOAD)) - 1):
        raw = bytearray(line(*LOAD))
        raw[at] ^= 4
        log = read_models(written(tmp_path, START, bytes(raw), END))
        assert log.phases.is_empty()
        assert log.is_ended
        assert "damaged line" in str(log.validity[0])


@pytest.mark.parametrize("value", ["-2", "99999999999999999999", "9223372036854775807", "1e9", "٣", ""])
def test_a_number_that_no_probe_writes_is_damage(tmp_path: Path, value: str) -> None:
    log = read_models(written(tmp_path, START, (*LOAD[:5], value, *LOAD[6:])))
    assert log.phases.is_empty()
    assert log.validity


def test_no_log_and_no_beginning_are_errors(tmp_path: Path) -> None:
    with pytest.raises(NoDataError, match="loaded no model that was measured"):
        read_models(tmp_path)
    with pytest.raises(DamagedError, match="is not believed"):
        read_models(written(tmp_path, LOAD))


def test_a_log_that_leads_out_of_the_run_is_not_read(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    run = tmp_path / "run"
    run.mkdir()
    (run / probe.NAME).symlink_to(written(elsewhere, START) / probe.NAME)
    with pytest.raises(DamagedError, match="leads out of the folder"):
        read_models(run)


# --- the answer ----------------------------------------------------------------------------------------


def test_an_answer_is_its_numbers(tmp_path: Path) -> None:
    (tmp_path / probe.OUTPUT).write_bytes(struct.pack("<4d", 1, 2, 3, 4.5))
    answer = read_models(written(tmp_path, START, ("output", 2, 2))).answer
    assert answer is not None
    assert answer.values.to_list() == [1.0, 2.0, 3.0, 4.5]


@pytest.mark.parametrize(
    ("shape", "n_bytes"), [((2, 2), 31), ((2, 2), 40), ((2, 2), None), ((0, 2), 0), ((1 << 40, 1 << 40), 32)]
)
def test_an_answer_of_another_length_is_left_out_and_said(
    tmp_path: Path, shape: tuple[int, int], n_bytes: int | None
) -> None:
    if n_bytes is not None:
        (tmp_path / probe.OUTPUT).write_bytes(bytes(n_bytes))
    log = read_models(written(tmp_path, START, ("output", *shape)))
    assert log.answer is None
    assert "not compared" in str(log.validity[0])
