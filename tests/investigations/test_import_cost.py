"""What an import costs, from the question to the answer, on real packages and on ones of known cost."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from diagtools import assert_not_imported, import_cost
from diagtools.cli import main
from diagtools.errors import BudgetBreached, NoDataError, UsageError
from diagtools.frames import IMPORT_EDGES
from diagtools.investigations.import_command import command_import_cost
from diagtools.investigations.measured_imports import ImportCost
from diagtools.values import Budget, State, Target

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux")

MIB = 2**20


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """``shop`` imports ``shop.heavy`` (12 MiB) for its config, and json twice."""
    folder = tmp_path / "src" / "shop"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text("import json\n\nfrom shop.heavy import kept\n")
    (folder / "config.py").write_text("import json\n")
    (folder / "heavy.py").write_text("kept = bytearray(b'x' * (12 << 20))\n")
    monkeypatch.setenv("PYTHONPATH", str(folder.parent))
    return folder


def test_the_statement_that_holds_the_memory_is_named(package: Path) -> None:
    cost = import_cost("shop.config", repeat=2)
    assert cost.total["anon_bytes"] == pytest.approx(12 * MIB, abs=2 * MIB)
    low, high = cost.spread["anon_bytes"]
    assert high - low < 0.2 * MIB
    rows = cost.statements.filter(~cost.statements["file"].str.starts_with("<")).rows(named=True)
    assert (Path(rows[0]["file"]).name, rows[0]["line"], rows[0]["imports"]) == (
        "__init__.py",
        3,
        ["shop.heavy"],
    )
    assert rows[0]["retained_anon_bytes"] == pytest.approx(12 * MIB, abs=0.3 * MIB)
    steps = cost.chain("shop.heavy").select("importer", "line").rows()
    assert steps == [("<program>", 1), ("shop", 3)]
    with pytest.raises(NoDataError, match="Nothing imports 'polars' here"):
        cost.chain("polars")


def test_several_statements_have_a_cumulative_table(package: Path) -> None:
    cost = import_cost("json", "shop", repeat=1)
    said = cost.as_text()
    table = said.partition("After each statement, memory of its own")[2].splitlines()
    assert [line.split()[0] for line in table[1:4]] == ["the", "import", "import"]
    by_step = dict(
        cost.imports.group_by("step").agg(__import__("polars").col("self_anon_bytes").sum()).rows()
    )
    assert by_step[2] == pytest.approx(12 * MIB, abs=0.5 * MIB)


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("there.aint.any", "No module named 'there'"),
        ("json.there_is_none", "No module named 'json.there_is_none'"),
        ("import json; (", "was never closed"),
        ("a b", "neither a module nor a statement"),
        (" ", "nothing to import"),
    ],
)
def test_a_mistake_of_the_user_is_one_error(target: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        import_cost(target, repeat=1)


def test_an_import_that_fails_inside_is_a_result(package: Path) -> None:
    (package / "config.py").write_text("import shop_that_is_not_there\n")
    cost = import_cost("shop.config", repeat=1)
    assert cost.error == "ModuleNotFoundError"
    assert "No module named 'shop_that_is_not_there'" in cost.as_text()


def test_a_guard_names_the_chain(package: Path) -> None:
    assert_not_imported("polars", "altair", by="import shop.config")
    with pytest.raises(BudgetBreached, match=r"imports 'shop\.heavy'.* → .*shop/__init__\.py:3"):
        assert_not_imported("shop.heavy", by="import shop.config")


def test_a_guard_lets_pass_what_was_only_tried(package: Path) -> None:
    """``shop`` is not blamed for a package that is not installed, nor for one that does not load."""
    (package / "broken.py").write_text("import shop.config\nraise ImportError\n")
    (package / "__init__.py").write_text(
        "for name in ('shop_that_is_not_there', 'shop.broken'):\n"
        "    try:\n        __import__(name)\n    except ImportError:\n        pass\n"
    )
    assert_not_imported("shop_that_is_not_there", "shop.broken", by="import shop")
    with pytest.raises(BudgetBreached, match=r"imports 'shop\.config'.* → .*shop/broken\.py:1"):
        assert_not_imported("shop.config", by="import shop")
    cost = import_cost("shop", repeat=1)
    cost.check(forbid=["shop_that_is_not_there", "shop.broken"])
    with pytest.raises(BudgetBreached, match=r"which it must not: by which statement nobody saw\."):
        replace(cost, edges=IMPORT_EDGES.empty()).check(forbid=["shop.config"])


def test_what_a_failed_import_kept_has_a_statement(package: Path) -> None:
    """It keeps 15 MiB in a module that stays, and imports 12."""
    (package / "fails.py").write_text(
        "import shop.config, shop.heavy\nshop.config.kept = bytearray(b'x' * (15 << 20))\nraise ImportError\n"
    )
    (package / "__init__.py").write_text("")
    (package / "tries.py").write_text(
        "import shop.config\ntry:\n    import shop.fails\nexcept ImportError:\n    pass\n"
    )
    cost = import_cost("shop.tries", repeat=1)
    (row,) = (row for row in cost.statements.iter_rows(named=True) if "shop.fails" in row["imports"])
    assert (Path(row["file"]).name, row["line"], row["n_modules"]) == ("tries.py", 3, 1)
    assert row["retained_anon_bytes"] == pytest.approx(27 * MIB, abs=0.3 * MIB)
    assert ", 1 import failed\n" in cost.as_text()


def test_what_threads_import_is_held_and_what_cannot_be_told_apart_is_said(package: Path) -> None:
    (package / "__init__.py").write_text("")
    (package / "other.py").write_text("import time\nkept = bytearray(9 << 20)\ntime.sleep(0.1)\n")
    (package / "heavy.py").write_text("import time\nkept = bytearray(12 << 20)\ntime.sleep(0.1)\n")
    (package / "threads.py").write_text(
        "from threading import Barrier, Thread\nmeet = Barrier(2)\n"
        "def one():\n    meet.wait()\n    import shop.heavy\n"
        "def two():\n    meet.wait()\n    import shop.other\n"
        "threads = [Thread(target=each) for each in (one, two)]\n"
        "[each.start() for each in threads]\n[each.join() for each in threads]\n"
    )
    (package / "config.py").write_text("import json\nimport shop.threads\n")
    code = [sys.executable, "-c", "import shop.config"]
    for cost in (import_cost("shop.config", repeat=1), *command_import_cost(Target(argv=tuple(code)))):
        held = {
            (Path(file).name, line): n
            for file, line, n in cost.statements["file", "line", "retained_anon_bytes"].rows()
        }
        assert held["config.py", 2] == pytest.approx(21 * MIB, abs=MIB)
        importers = dict(cost.imports.select("module", "importer").rows())
        assert (importers["shop.heavy"], importers["shop.other"]) == ("shop.threads", "shop.threads")
        (doubt,) = (one for one in cost.validity if one.state is State.UNATTRIBUTED)
        assert (doubt.what, doubt.note[:43]) == ("imports", "3 threads imported at the same time: how 21")
        assert "shop.heavy" in doubt.note or "shop.other" in doubt.note


def test_a_recorded_command_does_not_show_our_own_question(package: Path) -> None:
    """Ours asks for the next ``sitecustomize``; the user's is shown, where there is one."""
    target = Target(argv=(sys.executable, "-c", "import shop"))
    (found,) = command_import_cost(target)
    assert "sitecustomize" not in found.imports["module"].to_list()
    (package.parent / "sitecustomize.py").write_text("import shop.config\n")
    (found,) = command_import_cost(target)
    assert dict(found.imports.select("module", "importer").rows())["sitecustomize"] == "<program>"


def test_the_command_prints_a_table_that_fits(package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["imports", "shop.config", "--repeat", "1"]) == 0
    said = capsys.readouterr().out
    assert max(map(len, said.splitlines())) <= 100
    for part in (
        "shop.config on CPython",
        "of its own",
        "shared and evictable",
        "predicted, not verified",
        "shop.heavy",
    ):
        assert part in said


def test_the_command_prints_json(package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["imports", "shop.config", "--repeat", "1", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {"target", "python", "total", "spread", "modules", "statements", "verified", "validity"} <= set(
        found
    )
    assert found["total"]["modules"] == len(found["modules"]) - 1
    assert sum(row["self_anon_bytes"] for row in found["modules"]) == found["total"]["anon_bytes"]


@pytest.mark.parametrize("words", [["--budget", "5MiB"], ["--forbid", "shop.heavy"]])
def test_a_breach_is_in_the_one_document_for_scripts(
    words: list[str], package: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["imports", "shop.config", "--repeat", "1", "--json", *words]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["breach"]["kind"] == BudgetBreached.kind
    assert found["breach"]["hint"]
    assert found["total"]["modules"]


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("import shop_that_is_not_there\n", "ModuleNotFoundError"),
        ("import os; os._exit(0)\n", "nobody saw its end"),
    ],
)
def test_what_failed_or_has_no_end_keeps_no_budget(
    code: str, said: str, package: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (package / "config.py").write_text(code)
    cost = import_cost("shop.config", repeat=1)
    cost.check()
    with pytest.raises(NoDataError, match=f"cannot be judged: .*{said}"):
        cost.check(Budget(metric="anon_bytes", limit_bytes=2**40))
    with pytest.raises(NoDataError, match="cannot be judged"):
        cost.check(forbid="polars")
    with pytest.raises(BudgetBreached, match=r"imports 'shop\.heavy'"):  # that much is certain
        cost.check(forbid="shop.heavy")
    assert main(["imports", "shop.config", "--repeat", "1", "--budget", "1GiB"]) == 1
    assert "cannot be judged" in capsys.readouterr().err


def test_what_can_be_no_package_is_not_forbidden(package: Path) -> None:
    cost = import_cost("json", repeat=1)
    for wrong in ("a,b", "", "bad name", ["json", "x y"]):
        with pytest.raises(UsageError, match="is no package"):
            cost.check(forbid=wrong)
    with pytest.raises(BudgetBreached):
        cost.check(forbid="json")


def test_what_is_cut_short_says_so_at_the_top(package: Path) -> None:
    said = import_cost("import shop.heavy; import time; time.sleep(1000)", repeat=1, timeout_s=3).as_text()
    assert "Not whole: it was ended after 3 s" in "\n".join(said.splitlines()[:3])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--python", sys.executable, "--", "true"], "A command names its own Python"),
        (["json", "--forbid", "a,b"], "'a,b' is no package"),
        (["json", "--timeout", "-1"], "is not a number above zero"),
        (["app.py"], "a script is a command: diagtools imports -- python app.py"),
        (["--repeat", "0", "--", "true"], "repeat=0 measures nothing"),
        (["--", "no-such-command"], "There is no command"),
        (["--", "true"], "recorded its imports"),
    ],
)
def test_wrong_use_is_one_error(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["imports", *words]) != 0
    caught = capsys.readouterr()
    assert said in caught.err
    assert "Hint: " in caught.err
    assert "diagtools record" not in caught.err


@pytest.mark.parametrize(
    "words", [["--budget", "5MiB"], ["--forbid", "shop.heavy"], ["--budget", "1GiB", "--forbid", "shop"]]
)
def test_a_breach_exits_with_one(words: list[str], package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["imports", "shop.config", "--repeat", "1", *words]) == 1
    assert "Hint:" in capsys.readouterr().err
    assert main(["imports", "shop.config", "--repeat", "1", "--budget", "1GiB", "--forbid", "polars"]) == 0


def test_real_packages_sum_and_name_their_optional_dependency() -> None:
    """Altair pulls in rfc3987_syntax for a check of jsonschema that hardly anybody uses (FACTS)."""
    cost = import_cost("altair", repeat=1)
    assert cost.imports["self_anon_bytes"].sum() == cost.total["anon_bytes"]
    assert cost.imports["total_anon_bytes"][0] == cost.total["anon_bytes"]
    found = cost.statements.filter(cost.statements["imports"].list.contains("rfc3987_syntax"))
    top = found.row(0, named=True)
    assert top["file"].endswith("jsonschema/_format.py")
    assert top["retained_anon_bytes"] > 5 * MIB


def test_every_process_of_a_command_is_shown(package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = "import subprocess, sys; subprocess.call([sys.executable, '-c', 'import shop.config'])"
    assert main(["imports", "--json", "--", sys.executable, "-c", code]) == 0
    found = json.loads(capsys.readouterr().out)
    dearest, other = found["processes"]
    assert dearest["target"].endswith("-c import shop.config")
    assert (
        dearest["total"]["anon_bytes"]
        == found["total"]["anon_bytes"]
        > 12 * MIB
        > other["total"]["anon_bytes"]
    )
    held = {
        (Path(row["file"]).name, row["line"]): row["retained_anon_bytes"] for row in dearest["statements"]
    }
    assert held["__init__.py", 3] == pytest.approx(12 * MIB, abs=0.3 * MIB)
    assert main(["imports", "--forbid", "shop.heavy", "--", sys.executable, "-c", code]) == 1
    assert "which it must not" in capsys.readouterr().err


@pytest.mark.parametrize("words", [[], ["json", "--", "true"]])
def test_a_statement_or_a_command(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["imports", *words]) == 2
    assert "Name what is imported, or a command" in capsys.readouterr().err


def test_a_command_without_python_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["imports", "--", "true"]) != 0
    assert "recorded its imports" in capsys.readouterr().err
    assert main(["imports", "--", "there-is-no-such-command"]) == 127


def _modules_of(found: list[ImportCost], module: str) -> list[str]:
    """The commands of the processes that imported it."""
    return [cost.target for cost in found if module in cost.imports["module"].to_list()]


def test_the_workers_of_xdist_are_seen(package: Path, tmp_path: Path) -> None:
    (tmp_path / "test_shop.py").write_text(
        "import shop.config\n\ndef test_one(): pass\ndef test_two(): pass\n"
    )
    command = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "xdist", "-n", "2", "test_shop.py")
    environment = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    found = command_import_cost(Target(argv=(sys.executable, *command), cwd=tmp_path, env=environment))
    assert len(_modules_of(found, "shop.heavy")) == 2
    assert len(_modules_of(found, "xdist.workermanage")) == 1
    assert [cost.error for cost in found] == [""] * 3


def test_what_a_launcher_starts_is_seen(package: Path, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("import shop.config\n")
    launcher = str(Path(sys.executable).with_name("uv"))
    command = (launcher, "run", "--offline", "--no-project", "--python", sys.executable, "app.py")
    found = command_import_cost(Target(argv=command, cwd=tmp_path))
    assert len(_modules_of(found, "shop.heavy")) == 1


def test_a_command_that_fails_says_so(package: Path, tmp_path: Path) -> None:
    target = Target(argv=(sys.executable, "-c", "import sys, shop.config; sys.exit('no settings')"))
    (found,) = command_import_cost(target)
    assert (found.error, found.last_words) == ("exit status 1", ("no settings",))
    assert "It ended with exit status 1." in found.as_text()


def test_a_budget_is_checked_on_the_dearest_run(package: Path) -> None:
    cost = import_cost("shop.config", repeat=2)
    cost.check(Budget(metric="anon_bytes", limit_bytes=30 * MIB), forbid=["polars"])
    with pytest.raises(BudgetBreached, match="anon_bytes is") as raised:
        cost.check(Budget(metric="anon_bytes", limit_bytes=5 * MIB))
    assert raised.value.hint == "`diagtools imports … --verify 3` tells what can wait."
    with pytest.raises(BudgetBreached, match=r"imports 'shop\.heavy', which it must not"):
        cost.check(forbid=["shop.heavy"])
    with pytest.raises(UsageError, match="have no 'peak_rss_bytes'"):
        cost.check(Budget(metric="peak_rss_bytes", limit_bytes=MIB))


def test_a_command_is_repeated_and_its_processes_matched(package: Path, tmp_path: Path) -> None:
    code = "import subprocess, sys; [subprocess.run([sys.executable, '-c', 'import shop.config']) for _ in range(2)]"
    found = command_import_cost(Target(argv=(sys.executable, "-c", code)), repeat=2)
    assert [len(cost.runs) for cost in found] == [2, 2, 2]
    assert [cost.target.endswith("-c import shop.config") for cost in found] == [True, True, False]
    assert found[0].chain("shop.heavy").height
    low, high = found[0].spread["anon_bytes"]
    assert high - low < 0.3 * MIB
    with pytest.raises(UsageError, match="measures nothing"):
        command_import_cost(Target(argv=("true",)), repeat=0)


@pytest.mark.parametrize(
    ("by", "error", "said"),
    [
        ("import shop_that_is_not_there", UsageError, "cannot be imported"),
        ("import shop.broken", NoDataError, "cannot be judged: it ended with SyntaxError"),
        ("import shop.fails", NoDataError, "cannot be judged: it ended with ZeroDivisionError"),
        ("import os; os._exit(0)", NoDataError, "cannot be judged: nobody saw its end"),
    ],
)
def test_a_guard_does_not_pass_where_nothing_was_seen(
    by: str, error: type[Exception], said: str, package: Path
) -> None:
    (package / "broken.py").write_text("x =\n")
    (package / "fails.py").write_text("1 / 0\n")
    with pytest.raises(error, match=said):
        assert_not_imported("polars", by=by)
    with pytest.raises(UsageError, match="is no package"):
        assert_not_imported("", by="import json")
