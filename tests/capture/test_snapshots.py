"""What a command's processes are asked for, and what is said where they did not do it."""

from __future__ import annotations

import os
import subprocess
import sys
import zlib
from pathlib import Path

import pytest

from diagtools.capture import snapshots
from diagtools.capture.runner import capture
from diagtools.capture.tracked import Note, read_notes
from diagtools.errors import UsageError
from diagtools.probes import boot, moments
from diagtools.run import Run
from diagtools.values import Enforcer, Limit, Snapshots, State, Target, Validity
from tests.capture.processes import started, until

BOTH = Snapshots(ledger=True, trim=True, holders=True, every_s=2.5)


def test_each_instrument_is_told_when() -> None:
    limit = Limit(memory_bytes=1000)
    assert snapshots.asked(BOTH, limit) == {
        "ledger": "ledger signal every_s=2.5 cap=1000 trim",
        "holders": "holders signal every_s=2.5 cap=1000",
    }
    assert snapshots.asked(Snapshots(holders=True), None) == {"holders": "holders signal"}


def test_an_address_space_is_no_cap_of_what_is_resident() -> None:
    limit = Limit(memory_bytes=1000, enforcer=Enforcer.RLIMIT_AS)
    assert snapshots.asked(Snapshots(ledger=True), limit) == {"ledger": "ledger signal"}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "No snapshots are asked for"),
        ({"trim": True, "holders": True}, "malloc_trim"),
        ({"ledger": True, "every_s": 0.0}, "some time between"),
    ],
)
def test_what_makes_no_sense_is_refused(given: dict[str, bool], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        Snapshots(**given)


def test_a_command_without_python_took_none(tmp_path: Path) -> None:
    captured = capture(Target(argv=("sleep", "0.1"), snapshots=Snapshots(ledger=True)), tmp_path / "run")
    (said,) = [one for one in Run.open(captured.folder).validity if one.what == "ledger"]
    assert said.state is State.SKIPPED
    assert "no Python process" in said.note


def noted(folder: Path, *notes: str) -> tuple[Note, ...]:
    """A note for each ``pid kind text``, in their order."""
    path, lines = folder / moments.NOTES, []
    for t_ns, note in enumerate(notes, 1):
        pid, kind, text = note.split(" ", 2)
        body = f"{t_ns}\t{pid}\t{kind}\t\t{text}".encode()
        lines.append(b"%b\t%08x\n" % (body, zlib.crc32(body)))
    path.write_bytes(b"".join(lines))
    return read_notes(folder, moments.NOTES)


def states(found: tuple[Validity, ...]) -> list[tuple[str, State]]:
    return [(one.what, one.state) for one in found]


def test_what_was_left_out_is_said_with_its_reason_and_its_instrument(tmp_path: Path) -> None:
    noted(
        tmp_path,
        "7 begun ledger",
        "7 begun holders",
        "7 taken ledger: 0 5",
        "7 skipped holders, cap: MemoryError: ",
    )
    assert snapshots.validity(tmp_path, {"ledger": "ledger"}) == ()
    (said,) = snapshots.validity(tmp_path, {"ledger": "ledger", "holders": "holders"})
    assert (said.what, said.note) == ("holders", "in process 7 holders, cap: MemoryError: ")


LEDGER, HOLDERS = "7 taken ledger: 0 5", "7 taken holders: 0 9"
MEMORY, AFTER = ("memory", State.UNDER_TRACKER), ("ledger", State.UNDER_TRACKER)


@pytest.mark.parametrize(
    ("notes", "said"),
    [
        (["7 begun ledger", "7 begun holders", LEDGER], []),
        (["7 begun ledger", "7 begun holders", LEDGER, HOLDERS], [MEMORY]),
        (["7 begun ledger", "7 begun holders", LEDGER, HOLDERS, "7 taken ledger: 1 5"], [MEMORY, AFTER]),
        (["7 begun ledger", "8 begun ledger", HOLDERS, "8 taken ledger: 0 5", LEDGER], [MEMORY, AFTER]),
        (["7 begun holders", "8 begun ledger", HOLDERS, "8 taken ledger: 0 5"], [MEMORY]),
        (["7 begun holders", HOLDERS, "8 begun ledger", "8 taken ledger: 0 5"], [MEMORY, AFTER]),
    ],
    ids=["none of objects", "ledger first", "a ledger after it", "in one of two", "another's", "a fork's"],
)
def test_only_what_snapshots_of_objects_changed_is_doubted(
    tmp_path: Path, notes: list[str], said: list[tuple[str, State]]
) -> None:
    noted(tmp_path, *notes)
    assert states(snapshots.validity(tmp_path, {})) == said


def test_a_process_that_left_none_is_said(tmp_path: Path) -> None:
    noted(tmp_path, "7 begun ledger", "8 begun ledger", "8 taken ledger: 0 5", "8 closed ledger")
    (said,) = snapshots.validity(tmp_path, {"ledger": "ledger signal"})
    assert (said.what, said.state) == ("ledger", State.SKIPPED)
    assert said.note.startswith("process 7 ended before a snapshot was due")
    assert said.note.endswith("--snapshot-every 5 takes some before")
    (said,) = snapshots.validity(tmp_path, {"ledger": "ledger signal every_s=9"})
    assert said.note.endswith("a shorter --snapshot-every takes some before")


def test_a_pool_of_many_workers_is_few_lines(tmp_path: Path) -> None:
    killed = [f"{pid} begun holders" for pid in range(100, 164)]
    failed = [f"{pid} skipped holders, exit: OSError: full" for pid in range(200, 264)]
    noted(tmp_path, *killed, *failed)
    said = [one.note for one in snapshots.validity(tmp_path, {"holders": "holders"})]
    assert said[2:4] == [
        "in process 202 holders, exit: OSError: full",
        "some were left out in 61 processes more",
    ]
    assert said[4].startswith("64 processes (100, 101, 102 and 61 more) ended before a snapshot was due")
    assert len(said) == 5


ENDS = {
    "SIGTERM": "import os, signal; os.kill(os.getpid(), signal.SIGTERM)",
    "os._exit": "import os; os._exit(0)",
    "no descriptors": "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))",
}


@pytest.mark.skipif(sys.platform != "linux", reason="the ledger of Linux")
@pytest.mark.parametrize("code", ENDS.values(), ids=list(ENDS))
def test_an_end_without_a_snapshot_is_said(tmp_path: Path, code: str) -> None:
    target = Target(argv=(sys.executable, "-c", code), snapshots=Snapshots(ledger=True, holders=True))
    run = Run.open(capture(target, tmp_path / "run").folder)
    skipped = [one for one in run.validity if one.state is State.SKIPPED]
    assert [one.what for one in skipped] == ["ledger", "holders"]
    assert all("ended before a snapshot was due" in one.note for one in skipped)
    assert not any(one.state is State.UNDER_TRACKER for one in run.validity)


@pytest.mark.skipif(sys.platform != "linux", reason="the ledger of Linux")
def test_only_who_answers_is_asked(tmp_path: Path) -> None:
    asked = boot.environment(os.environ, str(tmp_path), ledger="ledger signal")
    code = "import time\nprint('ready', flush=True)\nfor _ in range(600): time.sleep(0.1)"
    with (
        started([sys.executable, "-c", code], env=asked, stdout=subprocess.PIPE) as answering,
        started(["sleep", "60"]) as other,
    ):
        assert snapshots.how_to_ask(tmp_path / "none") == ""
        assert answering.stdout is not None
        answering.stdout.readline()
        assert snapshots.how_to_ask(tmp_path).startswith(
            f"process {answering.pid}: kill -RTMIN+9 {answering.pid} "
        )
        noted(tmp_path, f"{other.pid} begun ledger", f"{answering.pid} begun ledger")  # it executed `sleep`
        snapshots.ask(tmp_path)
        until(lambda: list(tmp_path.glob(f"heap.{answering.pid}.0.json")), what="a snapshot")
        assert other.poll() is None


def test_the_run_says_what_was_asked_for(tmp_path: Path) -> None:
    target = Target(argv=(sys.executable, "-c", ""), snapshots=Snapshots(ledger=True, trim=True))
    run = Run.open(capture(target, tmp_path / "run").folder)
    assert run.manifest.snapshots == {"ledger": "signal trim"}
