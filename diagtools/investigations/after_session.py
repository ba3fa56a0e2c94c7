"""What a test session leaves to a process of its own, when it is over: Parquet, the page, the lines.

``python -m diagtools.investigations.after_session FOLDER [--page FILE] [--lines]`` prints what the terminal is to say,
a line each.  Only what was asked for is imported.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from diagtools.errors import DiagtoolsError, NoDataError
from diagtools.frames import PROCESSES, TIMELINE
from diagtools.read.test_session import read_test_session
from diagtools.read.timeline import read_timeline

_FRAMES = ("tests", "phases", "fixtures", "files")


def write_parquet(folder: Path) -> None:
    """Writes the frames of the session beside the lines that they are made of.  Raises ``NoDataError``."""
    try:
        recorded = read_timeline(folder)
        start_ns, timeline, processes = recorded.start_ns or 0, recorded.samples, recorded.processes
    except NoDataError:  # the sampler was killed before it saw anything: what the tests say needs none of it
        start_ns, timeline, processes = 0, TIMELINE.empty(), PROCESSES.empty()
    session = read_test_session(folder, start_ns, timeline=timeline, processes=processes)
    for name in _FRAMES:
        getattr(session, name).write_parquet(folder / f"tests.{name}.parquet")


def main(words: list[str]) -> int:
    """Does what the command line asks for; the exit status is 1 where some of it failed."""
    parser = argparse.ArgumentParser(prog="after_session")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--page", type=Path)
    parser.add_argument("--lines", action="store_true")
    asked = parser.parse_args(words)
    try:
        write_parquet(asked.folder)
        for line in _rest(asked):
            print(line)
    except (DiagtoolsError, OSError) as error:
        print(f"diagtools: {error}")
        return 1
    return 0


def _rest(asked: argparse.Namespace) -> list[str]:
    if not (asked.lines or asked.page):
        return []
    from diagtools.investigations.asking_lines import asking_lines  # here: most sessions ask for neither
    from diagtools.run import Run

    run = Run.open(asked.folder)
    said = asking_lines(run.path, run.test_session.costs) if asked.lines else []
    if asked.page:
        from diagtools.investigations.suite_report import SuiteReport

        said.append(f"The page: {SuiteReport(run).save(asked.page)}")
    return said


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
