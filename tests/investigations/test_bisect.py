"""Searches among made-up releases, with real overlays and real runs."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from diagtools.analyse.bisect import Side
from diagtools.analyse.sides import Difference, Judged
from diagtools.errors import UnavailableError, UsageError
from diagtools.frames.releases import RELEASES
from diagtools.investigations.bisect import bisect
from diagtools.investigations.bisection import Bisection
from diagtools.investigations.release_judges import EachAlone
from diagtools.values import Limit, Overlay, Target
from tests.support.releases import (
    FIRST_BAD,
    VERSIONS,
    broken_source,
    keeps,
    leaking_releases,
    only_here,
    wheel,
)

MB = 10**6
PROGRAM = "import madeup, time; time.sleep(0.05)"
COMMAND = (sys.executable, "-c", PROGRAM)


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DIAGTOOLS_STORE", str(tmp_path / "runs"))
    return only_here(tmp_path, monkeypatch)


def sizes(*megabytes: int) -> dict[str, int]:
    return {f"1.{at}": size * MB for at, size in enumerate(megabytes)}


def sides(found: Bisection) -> dict[str, str]:
    return {one.release: str(one.judged.side) for one in found.tried}


def test_the_first_bad_of_sixteen_takes_five_experiments(index: Path, tmp_path: Path) -> None:
    leaking_releases(index)
    found = bisect("madeup", COMMAND, good=VERSIONS[0], bad=VERSIONS[-1], folder=tmp_path / "kept")
    assert (found.verdict, found.release, found.n_experiments) == ("found", FIRST_BAD, 5)
    assert found.n_runs == sum(1 for _ in (tmp_path / "kept").glob("*/*/run.json"))
    assert "madeup 1.10 is the first bad release: peak RSS is" in str(found)
    told = json.loads(json.dumps(found.as_json()))
    assert (told["first"], told["candidates"], told["looked_for"]) == ("1.10", ["1.10"], "bad")
    assert [row["release"] for row in told["releases"]] == list(VERSIONS)
    assert RELEASES.check(found.frame).height == 16


def test_where_the_bad_end_is_older_the_first_good_one_is_found(index: Path) -> None:
    leaking_releases(index, sizes=sizes(40, 40, 0, 0))
    found = bisect("madeup", COMMAND, good="1.3", bad="1.0", pairs=2)
    assert (found.release, found.as_json()["looked_for"]) == ("1.2", "good")
    assert "madeup 1.2 is the first good release" in found.as_text()


def test_releases_that_cannot_be_had_or_run_are_passed_over(index: Path) -> None:
    """1.1 cannot be built, 1.2 breaks the program: what is left is said, with the reason."""
    leaking_releases(index, sizes={"1.0": 0, "1.3": 40 * MB})
    broken_source(index, "madeup", "1.1")
    wheel(index, "madeup", "1.2", "raise ImportError('no engine here')\n")
    found = bisect("madeup", COMMAND, good="1.0", bad="1.3", pairs=2)
    assert sides(found) == {"1.0": "good", "1.3": "bad", "1.1": "cannot run", "1.2": "cannot run"}
    assert (found.verdict, found.release, found.candidates) == ("range", None, ("1.1", "1.2", "1.3"))
    notes = {one.release: one.judged.reason for one in found.tried}
    assert "cannot be built" in notes["1.1"]
    assert notes["1.2"].startswith("exit status 1: ")
    assert "no engine here" in notes["1.2"]


def test_what_lies_between_the_ends_moved_in_steps(index: Path) -> None:
    leaking_releases(index, sizes=sizes(0, 12, 60))
    found = bisect("madeup", COMMAND, good="1.0", bad="1.2", pairs=2)
    assert sides(found)["1.1"] == "unclear"
    assert "moved in more than one step" in found.as_text()


def test_ends_that_do_not_differ_leave_nothing_to_bisect(index: Path) -> None:
    leaking_releases(index, sizes=sizes(20, 0, 20))
    found = bisect("madeup", COMMAND, good="1.0", bad="1.2", pairs=2)
    assert (found.verdict, found.release, found.n_experiments) == ("nothing to bisect", None, 1)
    assert str(found.findings()[0]).startswith("Nothing to bisect: peak RSS is ")


def test_ends_named_the_wrong_way_round_are_said(index: Path) -> None:
    leaking_releases(index, sizes=sizes(0, 0, 40))
    found = bisect("madeup", COMMAND, good="1.2", bad="1.0", pairs=2)
    assert (found.verdict, found.candidates) == ("swapped", ())
    assert str(found.findings()[0]).startswith("The ends are named the wrong way round: ")


def test_a_kill_is_a_result(index: Path) -> None:
    leaking_releases(index, sizes=sizes(0, 0, 300, 300))
    target = Target(argv=COMMAND, limit=Limit.parse("150 MB"))
    found = bisect("madeup", target, good="1.0", bad="1.3", pairs=2)
    assert found.release == "1.2"
    assert "more than the limit with 1.2" in str(found.findings()[0])
    assert found.frame.filter(found.frame["release"] == "1.2")["n_killed"].item() > 0


def test_a_dependency_that_changes_along_is_said(index: Path) -> None:
    """It is the dependency that keeps the memory: the release only asks for it."""
    wheel(index, "engine", "1.0")
    wheel(index, "engine", "2.0", keeps(40 * MB))
    wheel(index, "madeup", "1.0", "import engine\n", requires=["engine<2"])
    wheel(index, "madeup", "1.1", "import engine\n", requires=["engine>=2"])
    found = bisect("madeup", COMMAND, good="1.0", bad="1.1", pairs=2)
    assert found.release == "1.1"
    assert "because madeup needs it: engine 1.0 → 2.0. It may be the cause." in found.as_text()


def test_another_number_may_be_searched_for(index: Path) -> None:
    for version, n_rows in (("1.0", 10), ("1.1", 10), ("1.2", 90)):
        wheel(index, "madeup", version, f"print('rows = {n_rows}')\n")
    found = bisect("madeup", COMMAND, good="1.0", bad="1.2", metric="printed:rows", pairs=2)
    assert (found.release, found.metric) == ("1.2", "printed:rows")


def test_whatever_can_judge_a_release_can_be_asked(index: Path) -> None:
    """Without a command: as a leak check of one function would."""
    leaking_releases(index, sizes=dict.fromkeys([*sizes(0, 0, 0, 0, 0)], 0))
    asked: list[str] = []

    def ask(overlay: Overlay) -> Judged:
        version = overlay.brings[0][1]
        asked.append(version)
        if version == "1.2":
            return Judged(side=Side.BROKEN, reason="it raises")
        return Judged(side=Side.BAD if version >= "1.3" else Side.GOOD)

    found = bisect("madeup", good="1.0", bad="1.4", judge=EachAlone(ask, "leak"))
    assert (found.verdict, found.candidates, found.metric) == ("range", ("1.2", "1.3"), "leak")
    assert asked[:3] == ["1.0", "1.4", "1.2"]
    swapped = bisect("madeup", good="1.4", bad="1.0", judge=EachAlone(ask, "leak"))
    assert swapped.difference is Difference.SWAPPED
    nothing = bisect("madeup", good="1.0", bad="1.2", judge=EachAlone(ask, "leak"))
    assert "the bad one cannot run (it raises), by leak" in str(nothing.findings()[0])


# --- what cannot be searched ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("good", "bad", "message"),
    [
        ("1.0", "1.0.0", "Both ends are madeup 1.0"),
        ("newest", "1.0", "'newest' is no release"),
        ("1.0", "7.7", "There is no release madeup==7.7"),
    ],
)
def test_ends_that_are_none_are_refused(index: Path, good: str, bad: str, message: str) -> None:
    leaking_releases(index, sizes=sizes(0, 0))
    with pytest.raises(UsageError, match=message):
        bisect("madeup", COMMAND, good=good, bad=bad)


def test_a_command_that_does_not_use_the_package_is_said(index: Path) -> None:
    leaking_releases(index, sizes=sizes(0, 40))
    with pytest.raises(
        UsageError, match=r"The command does not use madeup 1\.0: none of its modules was imported"
    ):
        bisect("madeup", (sys.executable, "-c", "pass"), good="1.0", bad="1.1", pairs=1)


def test_an_end_with_which_the_command_fails_is_said(index: Path) -> None:
    wheel(index, "madeup", "1.0")
    wheel(index, "madeup", "1.1", "raise ImportError('no engine here')\n")
    with pytest.raises(
        UsageError, match=r"The command fails with madeup 1\.1: exit status 1: .*no engine here"
    ):
        bisect("madeup", (sys.executable, "-c", "import madeup"), good="1.0", bad="1.1", pairs=1)


def test_an_unknown_python_is_asked_for(index: Path) -> None:
    with pytest.raises(UsageError, match=r"not known which Python 'sh' starts.*--python PATH"):
        bisect("madeup", "sh -c true", good="1.0", bad="1.1")


def test_an_index_that_cannot_be_reached_is_said(index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.setenv("PIP_RETRIES", "1")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/index")
    with pytest.raises(UnavailableError, match="The releases of madeup cannot be listed"):
        bisect("madeup", COMMAND, good="1.0", bad="1.1")
