"""Real functions, called in processes of their own: which leak, by how much, at which line, and who keeps it."""

from __future__ import annotations

import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from diagtools.analyse.leaks import Leaking, leak_verdict
from diagtools.errors import BudgetBreached, DiagtoolsError, NoDataError, UsageError
from diagtools.investigations.leaks import LeakCheck, assert_no_leak, leaks
from diagtools.values import Changes, Patch
from tests.support import leak_programs
from tests.support.interpreters import interpreters
from tests.support.leak_runs import ROOT, checked, program
from tests.support.leaky import bounded

LEAKY = "tests.support.leaky.leaks"


@pytest.fixture(autouse=True)
def _store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIAGTOOLS_STORE", str(tmp_path / "runs"))


# Every second of the functions, so that this takes half a minute; benchmarks/leaks.py takes all of them.


def _verdicts(targets: list[str], folder: Path) -> dict[str, Leaking]:
    def judge(target: str) -> Leaking:
        log = checked(target, folder / target.replace(":", "."))
        assert log.failure is None, log.failure
        return leak_verdict(log).verdict

    with ThreadPoolExecutor(2) as pool:
        return dict(zip(targets, pool.map(judge, targets), strict=True))


@pytest.mark.slow
def test_leaks_of_64_bytes_a_call_are_found(tmp_path: Path) -> None:
    found = _verdicts([*leak_programs.leaking(), *leak_programs.held_out()[0]][::2], tmp_path)
    missed = [target for target, verdict in found.items() if verdict is not Leaking.LEAK]
    assert len(found) >= 40
    assert len(missed) <= 0.02 * len(found), missed


@pytest.mark.slow
def test_what_is_bounded_is_no_leak(tmp_path: Path) -> None:
    found = _verdicts([*leak_programs.bounded(), *leak_programs.held_out()[1]][::2], tmp_path)
    alarms = [target for target, verdict in found.items() if verdict is Leaking.LEAK]
    unsure = [target for target, verdict in found.items() if verdict is Leaking.INCONCLUSIVE]
    assert len(found) >= 50
    assert len(alarms) <= 0.01 * len(found), alarms
    assert len(unsure) <= 0.05 * len(found), unsure


def _line_of(name: str) -> str:
    return leak_programs.leaking()[f"{LEAKY}:{name}"][0]


def _checked(name: str) -> LeakCheck:
    check = leaks(f"{LEAKY}:{name}", cwd=ROOT)
    assert check.verdict is Leaking.LEAK
    assert check.explanation is not None
    return check


def test_the_line_that_asks_and_the_global_that_keeps() -> None:
    check = _checked("dict_by_text")
    assert check.top_line is not None
    assert check.top_line.endswith(_line_of("dict_by_text"))
    assert check.bytes_per_call == pytest.approx(90, abs=25)
    assert check.explanation is not None
    assert check.explanation.holders["root"][0] == f"{LEAKY}.kept_dict"
    assert check.explanation.sites["bytes_per_call"][0] == pytest.approx(90, abs=25)

    said = check.as_text()
    assert said.startswith(f"{LEAKY}:dict_by_text leaks ")
    assert "dict_by_text (" in said
    told = check.as_json()
    assert {"verdict", "bytes_per_call", "calls", "counters", "sites", "holders"} <= set(told)
    assert (told["verdict"], told["calls"]) == ("leak", 5800)
    assert "text/plain" in check._repr_mimebundle_()


def test_c_code_that_asks_through_the_c_library() -> None:
    check = _checked("c_strdup")
    assert check.found.is_native
    assert str(check.top_line).endswith(_line_of("c_strdup"))


def test_c_code_that_no_tracker_sees() -> None:
    check = _checked("c_malloc")
    assert check.found.is_native
    assert str(check.top_line).endswith(_line_of("c_malloc"))
    assert check.explanation is not None
    assert check.explanation.sites["n_allocations"][0] is None


def test_an_interpreter_without_memray(tmp_path: Path) -> None:
    bare = next((path for path in map(_python_of, interpreters()) if not _has_memray(path)), None)
    if bare is None:
        pytest.skip("every Python here has memray")
    check = leaks(f"{LEAKY}:list_of_bytes", cwd=ROOT, python=bare)
    assert str(check.top_line).endswith(_line_of("list_of_bytes"))
    assert any("cannot load memray" in str(one) for one in check.validity)


def _python_of(parameter: Any) -> str:
    return str(parameter.values[0])


def _has_memray(python: str) -> bool:
    return subprocess.run([python, "-c", "import memray"], capture_output=True).returncode == 0


def test_references_that_c_code_took_are_told() -> None:
    check = _checked("over_referenced")
    assert check.explanation is not None
    assert str(check.top_line).endswith(_line_of("over_referenced"))
    assert any("list" in str(one) for one in check.explanation.unheld)


def test_an_async_function() -> None:
    check = leaks("tests.support.leaky.async_leaks:results", cwd=ROOT)
    assert check.log.is_async
    assert str(check.top_line).endswith(leak_programs.leaking()["tests.support.leaky.async_leaks:results"][0])


def test_a_function_itself_may_be_given() -> None:
    check = assert_no_leak(bounded.temporary_list)
    assert check.verdict is Leaking.CLEAN
    assert check.explanation is None


def test_a_test_that_finds_a_leak_says_what_and_where() -> None:
    with pytest.raises(BudgetBreached, match=r"leaks \d+ B a call, asked for at .*leaks\.py:\d+") as error:
        assert_no_leak(f"{LEAKY}:list_of_bytes", cwd=ROOT)
    assert error.value.exit_status == 1


def test_without_an_explanation_it_is_called_in_one_process_only(tmp_path: Path) -> None:
    check = leaks(f"{LEAKY}:list_of_bytes", cwd=ROOT, explain=False, folder=tmp_path / "run")
    assert (check.explanation, check.top_line) == (None, None)
    assert not (tmp_path / "run" / "memray").exists()


def test_fewer_calls_and_the_environment(tmp_path: Path) -> None:
    text = """
        import os
        kept = []
        def leak():
            kept.append(bytes(int(os.environ["SIZE"])))
    """
    place = program(tmp_path / "app", text)
    check = leaks("program:leak", cwd=place, calls=700, env={"SIZE": "5000"}, explain=False)
    assert check.found.n_calls == 200 + 2 * 700
    assert check.bytes_per_call == pytest.approx(5040, rel=0.05)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("def check(one): pass", "takes arguments"),
        ("def check(): yield 1", "is a generator function"),
        ("def check(): raise ValueError('no')", "raised at its first call: ValueError: no"),
        ("check = 5", "which cannot be called"),
        ("import not_there", "cannot be imported"),
        ("def other(): pass", "cannot be found"),
        ("import os\ndef check(): os._exit(3)", "exit status 3"),
        ("import sys\ndef check(): sys.exit(3)", "ended the program"),
    ],
)
def test_bad_input_is_one_clear_error(text: str, said: str, tmp_path: Path) -> None:
    place = program(tmp_path / "app", text)
    with pytest.raises(UsageError, match=said) as error:
        leaks("program:check", cwd=place)
    assert error.value.hint


def test_what_hangs_is_ended_and_it_is_said_where(tmp_path: Path) -> None:
    place = program(tmp_path / "app", "import time\ndef check(): time.sleep(100)")
    with pytest.raises(UsageError, match=r"did not come back within 2 s.*program\.py:2 in check"):
        leaks("program:check", cwd=place, timeout_s=2)


def test_a_slow_function_is_not_called_clean(tmp_path: Path) -> None:
    place = program(tmp_path / "app", "import time\ndef check(): time.sleep(0.05)")
    check = leaks("program:check", cwd=place, timeout_s=8)
    assert check.verdict is Leaking.INCONCLUSIVE
    assert "too few to be sure" in check.found.reason


@pytest.mark.parametrize("options", [{"calls": 5}, {"timeout_s": 0}, {"timeout_s": float("nan")}])
def test_numbers_that_make_no_sense(options: dict[str, float]) -> None:
    with pytest.raises(UsageError):
        leaks(f"{LEAKY}:list_of_bytes", **options)  # type: ignore[arg-type]


def test_an_interpreter_that_is_none() -> None:
    with pytest.raises(DiagtoolsError, match="cannot be started"):
        leaks(f"{LEAKY}:list_of_bytes", python="/nowhere/python")


def test_a_change_that_came_to_nothing_is_an_error(tmp_path: Path) -> None:
    """Else the verdict would be on the function as it is."""
    (tmp_path / "handler.py").write_text("kept = []\n\ndef serve():\n    kept.append(object())\n")
    patch = Patch(name="fix.py", code="replace('handler:other', lambda: None)")
    with pytest.raises(NoDataError, match="there is no handler:other"):
        leaks("handler:serve", cwd=tmp_path, changes=Changes(patches=(patch,)), folder=tmp_path / "run")


def test_a_patch_mends_a_leak(tmp_path: Path) -> None:
    (tmp_path / "handler.py").write_text("kept = []\n\ndef serve():\n    kept.append(object())\n")
    patch = Patch(name="fix.py", code="replace('handler:serve', lambda: None)")
    check = leaks("handler:serve", cwd=tmp_path, changes=Changes(patches=(patch,)), folder=tmp_path / "run")
    assert check.verdict is Leaking.CLEAN
