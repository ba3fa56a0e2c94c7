"""Items that were asked for and are not there are said, with what is known of why."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from diagtools import mark
from diagtools.read.no_items import no_items
from diagtools.values import State
from tests.support.runs import begin, marker, slot

CALLS = {"calls": "app:f"}
OPENED = {"opened_under": "corpus"}


def boot(pid: int, *, error: str = "") -> bytes:
    status = "failed" if error else "ok"
    return marker(0.0, "point", "3.11", kind="boot", index=0, status=status, error=error, pid=pid)


def event(name: str, pid: int) -> bytes:
    return marker(0.1, "point", name, kind="event", pid=pid)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    folder.mkdir()
    return folder


def why(run: Path, asked: dict[str, str], *lines: bytes) -> str:
    if lines:
        (run / mark.LOG_NAME).write_bytes(b"".join(lines))
    found = no_items(run, asked)
    assert found is not None
    assert (found.what, found.state) == ("items", State.SKIPPED)
    return found.note


@pytest.mark.parametrize(
    ("asked", "what"), [(CALLS, "calls of app:f"), (OPENED, "files opened under 'corpus'")]
)
def test_what_was_asked_for_is_said_first(run: Path, asked: dict[str, str], what: str) -> None:
    assert why(run, asked).startswith(f"{what} were asked for and none was recorded: ")


def test_a_command_in_which_no_probe_started(run: Path) -> None:
    assert "no Python process of the command loaded the recorder" in why(run, CALLS)
    assert "-I, -E or -S" in why(run, CALLS)


def test_a_probe_that_failed(run: Path) -> None:
    note = why(run, CALLS, boot(1, error="LookupError: broken\nin two lines"))
    assert note.endswith("recorded: it could not start in 1 Python process: LookupError: broken in two lines")


def test_a_probe_that_failed_in_some_and_saw_nothing_in_others(run: Path) -> None:
    note = why(run, CALLS, boot(1, error="OSError: a"), boot(2), boot(3))
    assert note.endswith(
        "it could not start in 1 Python process: OSError: a; "
        "2 Python processes loaded the recorder, and no call was seen"
    )


def test_a_function_that_was_never_found(run: Path) -> None:
    note = why(run, CALLS, boot(1), event("items: app:f was never found", 1))
    assert note.endswith("none was recorded: app:f was never found")


def test_a_function_that_was_found_in_one_process_and_not_called(run: Path) -> None:
    note = why(run, CALLS, boot(1), boot(2), event("items: app:f was never found", 1))
    assert note.endswith("none was recorded: app:f was never found in 1 of 2 Python processes")


def test_a_folder_in_which_nothing_is_opened(run: Path) -> None:
    note = why(run, OPENED, boot(1), event("cache cleared", 1))
    assert note.endswith("1 Python process loaded the recorder, and no such file opened for reading was seen")


def test_where_there_are_items_nothing_is_said(run: Path) -> None:
    (run / mark.LOG_NAME).write_bytes(boot(1) + begin(0.1, "a.py"))
    assert no_items(run, CALLS) is None


def test_an_item_that_only_a_slot_holds_is_one(run: Path) -> None:
    (run / mark.SLOT_GLOB.replace("*", "100")).write_bytes(slot(1, 0.1))
    assert no_items(run, CALLS) is None


def test_where_nothing_was_asked_for_nothing_is_said(run: Path) -> None:
    assert no_items(run, {}) is None


def test_what_cannot_be_read_is_not_called_nothing(run: Path) -> None:
    (run / mark.LOG_NAME).symlink_to("/etc/passwd")
    assert no_items(run, CALLS) is None


def test_a_name_that_looks_like_a_line_is_no_item(run: Path) -> None:
    assert "no call" in why(run, CALLS, boot(1), event("x\titem\tbegin\ty", 1))


def test_secrets_in_an_error_are_not_told(run: Path) -> None:
    assert "abc123def" not in why(run, CALLS, boot(1, error="OSError: token=abc123def"))


def test_it_loads_no_third_party_package() -> None:
    """``diagtools record`` asks it."""
    code = "import sys, diagtools.read.no_items; sys.exit('polars' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
