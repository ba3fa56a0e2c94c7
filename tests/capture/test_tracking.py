"""A tracker is asked for in one line, and refused before the command runs where it is known not to be there."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from diagtools.capture import tracking
from diagtools.errors import UnavailableError
from diagtools.values import Enforcer, Limit, Target, Tool, Tracking

BARE = getattr(sys, "_base_executable", sys.executable)


def target(*argv: str, tool: Tool = Tool.MEMRAY, env: dict[str, str] | None = None) -> Target:
    return Target(argv=argv, tracking=Tracking(tool=tool), env=env or {})


def test_what_is_asked_of_memray() -> None:
    assert tracking.asked(Tracking(), None) == "memray follow_fork interval_ms=10"
    more = Tracking(native=True, python_allocators=True, aggregated=True, follow_fork=False, interval_ms=50)
    assert tracking.asked(more, None) == "memray native python_allocators aggregated interval_ms=50"


def test_what_is_asked_of_tracemalloc() -> None:
    wanted = Tracking(tool=Tool.TRACEMALLOC, n_frames=7, snapshot_every_s=2.5)
    assert tracking.asked(wanted, Limit(memory_bytes=5)) == "tracemalloc n_frames=7 every_s=2.5 cap=5"
    by_addresses = Limit(memory_bytes=5, enforcer=Enforcer.RLIMIT_AS)
    assert tracking.asked(Tracking(tool=Tool.TRACEMALLOC), by_addresses) == "tracemalloc n_frames=10"


def test_how_the_manifest_says_it() -> None:
    assert tracking.described(Tracking(native=True)) == {
        "tool": "memray",
        "native": "yes",
        "follow_fork": "yes",
        "interval_ms": "10",
    }


def test_an_interpreter_that_has_it_is_accepted() -> None:
    tracking.check(target(sys.executable, "x.py"))


@pytest.mark.parametrize("how", ["itself", "script"])
def test_one_that_has_not_is_refused_with_the_way_out(tmp_path: Path, how: str) -> None:
    script = tmp_path / "tool"
    script.write_text(f"#!{BARE}\n")
    with pytest.raises(UnavailableError) as caught:
        tracking.check(target(BARE if how == "itself" else str(script), "x.py"))
    assert "cannot load memray: ModuleNotFoundError: No module named 'memray'." in caught.value.message
    assert caught.value.hint is not None
    assert "-m pip install memray, or record with --tracemalloc" in caught.value.hint
    assert str(Path.home()) not in str(caught.value)


@pytest.mark.parametrize("version", [(2, 7, 18), (3, 8, 20)])
def test_one_too_old_for_any_tracker_is_told_what_works(tmp_path: Path, version: tuple[int, ...]) -> None:
    """A Python that says it is an old one, and cannot compile the probe."""
    old = tmp_path / f"python{version[0]}.{version[1]}"
    claim = f"import sys; sys.version_info = {version}; code = sys.argv.pop(1); sys.argv[1] = '/dev/null'; exec(code)"
    old.write_text(f'#!/bin/sh\nexec {BARE} -c "{claim}" "$2" "$3"\n')
    old.chmod(0o755)
    with pytest.raises(UnavailableError) as caught:
        tracking.check(target(str(old), "x.py"))
    said = ".".join(map(str, version))
    assert (
        f"is CPython {said}: both trackers, memray and tracemalloc, take CPython 3.9" in caught.value.message
    )
    assert caught.value.hint == "use CPython 3.9 or newer; `diagtools record` without a tracker takes any."


def test_what_it_finds_on_the_path_counts(tmp_path: Path) -> None:
    """As in the command: memray may come by PYTHONPATH."""
    import memray

    packages = str(Path(memray.__file__).parents[1])
    tracking.check(target(BARE, "x.py", env={"PYTHONPATH": packages}))


@pytest.mark.parametrize("argv", [("sh", "-c", "true"), ("no-such-command",)])
def test_what_is_no_python_is_not_asked(argv: tuple[str, ...]) -> None:
    tracking.check(target(*argv))


def test_tracemalloc_and_none_ask_nothing() -> None:
    tracking.check(target(BARE, tool=Tool.TRACEMALLOC))
    tracking.check(Target(argv=(BARE,)))
