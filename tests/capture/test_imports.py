"""A fresh interpreter is started, bounded, and ended; whatever it does is a result."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from diagtools.capture.child import check_python
from diagtools.capture.imports import capture_imports
from diagtools.errors import UsageError
from tests.capture.processes import is_alive, until
from tests.support.interpreters import every_python

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux")


@every_python
def test_an_interpreter_says_its_version(python: str) -> None:
    major, minor = map(int, check_python(python).split("."))
    assert (major, minor) >= (3, 9)


def test_what_is_no_python_is_refused(tmp_path: Path) -> None:
    old = tmp_path / "old"
    old.write_text("#!/bin/sh\necho cpython 3 8\n")
    old.chmod(0o755)
    for python, said in (
        ("/bin/ls", "is no Python"),
        ("/nope", "cannot be started"),
        (str(old), "is cpython 3.8"),
    ):
        with pytest.raises(UsageError, match=said):
            check_python(python)


def test_the_run_is_closed_like_any_other(tmp_path: Path) -> None:
    run = capture_imports(["import json"], tmp_path / "run")
    manifest = json.loads((run / "run.json").read_text())
    assert (manifest["state"], manifest["exit_status"], manifest["argv"][2]) == ("finished", 0, "import json")
    assert {"stdout.log", "stderr.log"} < set(manifest["artefacts"])


def test_what_never_ends_is_ended_and_said(tmp_path: Path) -> None:
    """With whatever it started."""
    code = (
        "import subprocess, time; child = subprocess.Popen(['sleep', '1000']); "
        "print(child.pid, flush=True); time.sleep(1000)"
    )
    run = capture_imports([code], tmp_path / "run", timeout_s=2)
    manifest = json.loads((run / "run.json").read_text())
    assert manifest["exit_status"] == 137
    assert manifest["validity"][0]["note"] == "it was ended after 2 s"
    child = int((run / "stdout.log").read_text())
    until(lambda: not is_alive(child), "the end of its child")


def test_output_without_end_does_not_fill_the_disk(tmp_path: Path) -> None:
    run = capture_imports(["import sys\nfor n in range(30_000): print('x' * 1000)"], tmp_path / "run")
    assert (run / "stdout.log").stat().st_size < 20_000_000


def test_it_reads_nothing_from_us(tmp_path: Path) -> None:
    run = capture_imports(["print(repr(input()))"], tmp_path / "run")
    assert "EOFError" in (run / "stderr.log").read_text()


def test_its_traceback_holds_no_frame_of_ours(tmp_path: Path) -> None:
    run = capture_imports(["1 / 0"], tmp_path / "run")
    said = (run / "stderr.log").read_text().splitlines()
    assert [line for line in said if "File" in line] == ['  File "<statement>", line 1, in <module>']
