"""What a process imports, seen from within, on every interpreter that is found here."""

from __future__ import annotations

import ast
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from diagtools.analyse.import_graph import import_edges
from diagtools.analyse.imports import attribute, total
from diagtools.capture.imports import capture_command_imports, capture_imports, interpreter_command
from diagtools.read.imports import ImportLog, read_imports
from diagtools.values import Target
from tests.support.interpreters import every_python

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux")

MIB = 2**20
PACKAGE = {
    "pkg/__init__.py": "from . import held\n",
    "pkg/held.py": "import pkg.parts.deep\nkept = bytearray(b'x' * (20 << 20))\n",
    "pkg/parts/__init__.py": "",
    "pkg/parts/deep.py": "kept = bytearray(b'x' * (7 << 20))\n",
    "fails.py": "kept = []\nimport pkg.parts.deep\nraise LookupError('no')\n",
    "tries.py": "try:\n    import fails\nexcept LookupError:\n    pass\n",
    "leaves.py": "import pkg.parts.deep, os\nos._exit(7)\n",
    "dies.py": "import pkg.parts.deep, os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n",
    "crashes.py": "import pkg.parts.deep, os, signal\nos.kill(os.getpid(), signal.SIGSEGV)\n",
    "hangs.py": "import pkg.parts.deep, time\ntime.sleep(1000)\n",
    "exits.py": "import sys\nsys.exit(0)\n",
    "names/only.py": "import json\n",
    "threads.py": textwrap.dedent(
        """
        import threading
        def work():
            import pkg.parts.deep
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        """
    ),
    "forks.py": textwrap.dedent(
        """
        import os
        child = os.fork()
        if child == 0:
            import pkg.parts.deep
            os._exit(0)
        os.waitpid(child, 0)
        """
    ),
    "warns.py": "import warnings\nwarnings.warn('old', stacklevel=2)\n",
    "old.py": "import warns\n",
    "closes.py": textwrap.dedent(
        """
        import os
        os.closerange(3, 1000)
        place = os.path.dirname(__file__)
        own = [os.open(f"{place}/own-{n}", os.O_RDWR | os.O_CREAT) for n in range(9)]
        for each in own:
            os.write(each, b"own")
        import pkg.parts.deep
        child = os.fork()
        import names.only
        if child == 0:
            os._exit(0)
        os.waitpid(child, 0)
        """
    ),
    "takes.py": textwrap.dedent(
        """
        import os
        for fd in range(3, 1000):
            try:
                if os.readlink(f"/proc/self/fd/{fd}").endswith(ENDING):
                    own = os.open(os.path.dirname(__file__) + "/own-0", os.O_RDWR | os.O_CREAT)
                    os.dup2(own, fd)
                    os.write(fd, b"own")
                    break
            except OSError:
                pass
        import pkg.parts.deep
        """
    ),
    "fills.py": textwrap.dedent(
        """
        import os, resource, sys
        sys.dont_write_bytecode = True
        logs = [os.readlink(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd") if fd > "2"
                and os.path.exists(f"/proc/self/fd/{fd}")]
        log, = [path for path in logs if path.endswith(".log")]
        _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (os.stat(log).st_size + 100, most))
        import names.only
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
        import pkg.parts.deep
        """
    ),
    "moves.py": textwrap.dedent(
        """
        import os, sys
        folder = os.environ["MOVED"]
        os.rename(folder, folder + "-elsewhere")
        child = os.fork()
        import pkg.parts.deep
        if child == 0:
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        os.rename(folder + "-elsewhere", folder)
        """
    ),
    "many.py": textwrap.dedent(
        """
        import importlib, sys, threading
        def work(first):
            for number in range(first, 200, 8):
                try:
                    importlib.import_module(f"there.is.none{number}")
                except ImportError:
                    pass
                __import__(f"one{number % 8}.part{number}")
        sys.setswitchinterval(1e-6)
        threads = [threading.Thread(target=work, args=(first,)) for first in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        """
    ),
    "frames.py": textwrap.dedent(
        """
        import sys
        kept = [sys._getframe()]
        while kept[-1] is not None:
            kept.append(kept[-1].f_back)
        """
    ),
    **{f"one{number % 8}/part{number}.py": "" for number in range(200)},
    "replaces.py": textwrap.dedent(
        """
        import sys, types
        sys.modules[__name__] = types.ModuleType(__name__)
        sys.modules.pop("json", None)
        import json
        """
    ),
}


ODD = r"""
def said(*arguments, **named):
    try:
        return __import__(*arguments, **named).__name__
    except BaseException as error:
        return f"{type(error).__name__}: {error}"
print(said(5), said([]), said(""), said("a\\b\tc"), said("a\vb"), said("\udc80"), said("x", {}, {}, (), -1))
print(said("json", fromlist=(name for name in ("tool",))), said("tool", {"__package__": "json"}, None, (), 1))
print(said("x", "y"), said("tool", {"__package__": 5}, None, (), 1))
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    place = tmp_path / "src"
    for name, text in PACKAGE.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(text)
    monkeypatch.setenv("PYTHONPATH", str(place))
    return tmp_path


def logs(
    folder: Path, *statements: str, python: str = sys.executable, graph: bool = False
) -> list[ImportLog]:
    run = capture_imports(statements, folder / "run", python=python, graph=graph)
    return read_imports(run)


def check_sum(log: ImportLog) -> None:
    """The self costs sum to what changed from the first event to the last, exactly."""
    costs = total(attribute(log.events))
    first, last = log.events.row(0, named=True), log.events.row(-1, named=True)
    assert costs["anon_bytes"] == last["anon_bytes"] - first["anon_bytes"]
    assert costs["rss_bytes"] == last["rss_bytes"] - first["rss_bytes"]
    assert costs["wall_s"] == pytest.approx((last["t_ns"] - first["t_ns"]) / 1e9, abs=1e-6)


@every_python
def test_each_module_costs_what_it_keeps(python: str, folder: Path) -> None:
    (log,) = logs(folder, "import pkg", python=python)
    found = attribute(log.events)
    by_module = {row["module"]: row for row in found.iter_rows(named=True)}
    assert log.is_whole
    assert log.error == ""
    assert Path(log.executable).samefile(python)
    assert by_module["pkg.held"]["self_anon_bytes"] == pytest.approx(20 * MIB, abs=0.3 * MIB)
    assert by_module["pkg.parts.deep"]["self_anon_bytes"] == pytest.approx(7 * MIB, abs=0.3 * MIB)
    assert by_module["pkg"]["total_anon_bytes"] == pytest.approx(27 * MIB, abs=0.5 * MIB)
    importers = {name: row["importer"] for name, row in by_module.items() if name.startswith("pkg")}
    assert importers == {
        "pkg": "<program>",
        "pkg.held": "pkg",
        "pkg.parts": "pkg.held",
        "pkg.parts.deep": "pkg.held",
    }
    check_sum(log)


@every_python
def test_a_submodule_that_the_package_imports_itself_is_there_once(python: str, folder: Path) -> None:
    (log,) = logs(folder, "import pkg.held", python=python)
    modules = attribute(log.events)["module"].to_list()
    assert [name for name in modules if name.startswith("pkg")] == [
        "pkg",
        "pkg.held",
        "pkg.parts",
        "pkg.parts.deep",
    ]
    check_sum(log)


@every_python
def test_a_failed_import_keeps_what_it_took(python: str, folder: Path) -> None:
    (log,) = logs(folder, "import tries", python=python)
    found = {row["module"]: row for row in attribute(log.events).iter_rows(named=True)}
    assert (found["fails"]["status"], found["tries"]["status"]) == ("failed", "ok")
    assert found["fails"]["total_anon_bytes"] == pytest.approx(
        27 * MIB, abs=0.5 * MIB
    )  # of the whole package
    check_sum(log)


@every_python
@pytest.mark.parametrize(
    ("statement", "error"),
    [
        ("import fails", "LookupError"),
        ("import there_is_none", "ModuleNotFoundError"),
        ("import exits", ""),
        ("import", "SyntaxError"),
        ("import names.only", ""),
        ("import replaces", ""),
    ],
)
def test_whatever_ends_it_is_a_result(statement: str, error: str, python: str, folder: Path) -> None:
    (log,) = logs(folder, statement, python=python)
    assert (log.error, log.is_whole, log.validity) == (error, True, ())
    check_sum(log)


@every_python
def test_a_target_that_leaves_at_once_is_read_as_far_as_it_came(python: str, folder: Path) -> None:
    (log,) = logs(folder, "import leaves", python=python)
    found = {row["module"]: row["status"] for row in attribute(log.events).iter_rows(named=True)}
    assert (found["leaves"], found["pkg.parts.deep"]) == ("unfinished", "ok")
    assert not log.is_whole
    assert "left by os._exit" in log.validity[0].note


@every_python
@pytest.mark.parametrize("graph", [False, True])
@pytest.mark.parametrize("name", ["dies", "crashes", "hangs"])
def test_the_module_that_was_its_last_is_known(name: str, graph: bool, python: str, folder: Path) -> None:
    run = capture_imports([f"import {name}"], folder / "run", python=python, graph=graph, timeout_s=1.5)
    (log,) = read_imports(run)
    found = {row["module"]: row["status"] for row in attribute(log.events).iter_rows(named=True)}
    assert (found[name], found["pkg.parts.deep"]) == ("unfinished", "ok")
    assert [name for name, status in found.items() if status == "unfinished"] == [name]
    assert not log.is_whole
    assert not any("damaged" in doubt.note for doubt in log.validity)
    assert (name in log.calls["module"].to_list()) == graph
    check_sum(log)


@every_python
def test_imports_of_threads_are_their_own(python: str, folder: Path) -> None:
    (log,) = logs(folder, "import threads", python=python)
    found = {row["module"]: row for row in attribute(log.events).iter_rows(named=True)}
    assert found["pkg.parts.deep"]["self_anon_bytes"] == pytest.approx(7 * MIB, abs=0.3 * MIB)
    check_sum(log)


@pytest.mark.parametrize("graph", [False, True])
@every_python
def test_a_forked_child_has_a_log_of_its_own(python: str, graph: bool, folder: Path) -> None:
    parent, child = logs(folder, "import forks", python=python, graph=graph)
    assert not any("damaged" in doubt.note for doubt in child.validity)
    assert "forks" not in child.calls["module"].to_list()
    assert "pkg.parts.deep" not in attribute(parent.events)["module"].to_list()
    assert "pkg.parts.deep" in attribute(child.events)["module"].to_list()
    check_sum(parent)


@every_python
def test_statements_are_seen_where_they_stand(python: str, folder: Path) -> None:
    (log,) = logs(folder, "import pkg", "import tries", python=python, graph=True)
    edges = import_edges(attribute(log.events), log.calls)
    ours = {
        (row["importer"], Path(row["file"]).name, row["line"], row["imported"], row["first"])
        for row in edges.iter_rows(named=True)
        if row["imported"].startswith(("pkg", "tries", "fails")) and row["line"]
    }
    assert ours == {
        ("<program>", "<statement>", 1, "pkg", True),
        ("<program>", "<statement>", 1, "tries", True),
        ("pkg", "__init__.py", 1, "pkg.held", True),
        ("pkg.held", "held.py", 1, "pkg", False),
        ("pkg.held", "held.py", 1, "pkg.parts", True),
        ("pkg.held", "held.py", 1, "pkg.parts.deep", True),
        ("tries", "tries.py", 2, "fails", True),
        ("fails", "fails.py", 2, "pkg", False),
        ("fails", "fails.py", 2, "pkg.parts", False),
        ("fails", "fails.py", 2, "pkg.parts.deep", False),
    }


@every_python
@pytest.mark.parametrize("graph", [False, True])
def test_every_process_of_a_command_is_seen(graph: bool, python: str, folder: Path) -> None:
    code = "import pkg, subprocess, sys; sys.exit(subprocess.call([sys.executable, '-m', 'tries']) + 3)"
    run = capture_command_imports(
        Target(argv=("sh", "-c", f'"{python}" -c "{code}"')), folder / "run", graph=graph
    )
    parent, child = read_imports(run)
    assert '"exit_status": 3' in (run / "run.json").read_text()
    assert (run / "stderr.log").read_text() == ""
    assert parent.command.endswith(code)
    assert child.command.endswith("-m tries")
    costs = {row["module"]: row for row in attribute(parent.events).iter_rows(named=True)}
    assert costs["pkg"]["total_anon_bytes"] == pytest.approx(27 * MIB, abs=0.5 * MIB)
    assert attribute(child.events).filter(module="fails")["status"].to_list() == ["failed"]
    assert (parent.is_whole, child.is_whole) == (True, True)
    places = set(parent.calls.select("module", "file", "line").rows()) if graph else {("pkg", "<string>", 1)}
    assert ("pkg", "<string>", 1) in places


@every_python
def test_a_traceback_looks_as_without_it(python: str, folder: Path) -> None:
    run = capture_imports(["import fails"], folder / "run", python=python)
    plain = subprocess.run([python, "-c", "import fails"], capture_output=True, text=True, check=False).stderr
    measured = (run / "stderr.log").read_text()
    frames = [line for line in measured.splitlines() if line.startswith("  File") and "src/" in line]
    assert frames == [line for line in plain.splitlines() if line.startswith("  File") and "src/" in line]
    assert "importlib" not in measured


@every_python
@pytest.mark.parametrize(
    "statement", ["import fails", "import there_is_none", "import old", "import names.none"]
)
def test_a_command_says_what_it_says_without_it(statement: str, python: str, folder: Path) -> None:
    argv = (python, "-c", statement)
    run = capture_command_imports(Target(argv=argv), folder / "run")
    plain = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert (run / "stderr.log").read_text() == plain.stderr


@every_python
@pytest.mark.parametrize("ending", ["closerange", ".log", "/statm"])
def test_a_program_that_takes_our_descriptors_keeps_what_is_its_own(
    ending: str, python: str, folder: Path
) -> None:
    taken = folder / "src" / "takes.py"
    taken.write_text(taken.read_text().replace("ENDING", repr(ending)))
    name = "closes" if ending == "closerange" else "takes"
    log, *children = logs(folder, f"import {name}", python=python)
    own = {path.read_bytes() for path in (folder / "src").glob("own-*")}
    assert own == {b"own"}
    found = attribute(log.events)
    deep = dict(zip(found["module"], found["self_anon_bytes"], strict=True))["pkg.parts.deep"]
    assert deep == pytest.approx(7 * MIB, abs=0.3 * MIB)
    assert (log.is_whole, log.validity, len(children)) == (True, (), int(name == "closes"))
    check_sum(log)


@every_python
def test_a_full_disk_loses_what_it_loses(python: str, folder: Path) -> None:
    (log,) = logs(folder, "import fills", python=python)
    modules = attribute(log.events)["module"].to_list()
    assert "pkg.parts.deep" in modules
    assert log.is_whole
    assert "1 lines" in log.validity[0].note


@pytest.mark.parametrize("graph", [False, True])
@every_python
def test_odd_arguments_are_refused_or_taken_as_without_it(python: str, graph: bool, folder: Path) -> None:
    program = folder / "odd.py"
    program.write_text(ODD)
    run = capture_command_imports(Target(argv=(python, str(program))), folder / "run", graph=graph)
    plain = subprocess.run([python, program], capture_output=True, text=True, check=True)
    assert (run / "stdout.log").read_text() == plain.stdout
    (log,) = read_imports(run)
    assert (log.is_whole, log.validity) == (True, ())


@every_python
def test_a_program_may_keep_all_frames(python: str, folder: Path) -> None:
    """One of them says to be larger than it is."""
    code = (
        "import frames; import json; print([f.f_locals.keys() and f.clear() for f in frames.kept[:-2]] and 7)"
    )
    run = capture_command_imports(Target(argv=(python, "-c", code)), folder / "run")
    assert ((run / "stdout.log").read_text(), (run / "stderr.log").read_text()) == ("7\n", "")
    run = capture_imports(
        ["import frames; import json; frames.kept[-2].f_locals"], folder / "other", python=python
    )
    (log,) = read_imports(run)
    assert (log.is_whole, log.error) == (True, "")


@every_python
def test_a_removed_folder_is_no_concern_of_the_program(
    python: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = folder / "run"
    run.mkdir()
    monkeypatch.setenv("MOVED", str(run))
    subprocess.run(interpreter_command(["import moves"], run, python=python), check=True, capture_output=True)
    (log,) = read_imports(run)
    assert "pkg.parts.deep" in attribute(log.events)["module"].to_list()
    assert (log.is_whole, log.error) == (True, "")


@pytest.mark.parametrize("graph", [False, True])
@every_python
def test_threads_that_import_at_once_lose_nothing(python: str, graph: bool, folder: Path) -> None:
    (log,) = logs(folder, "import many", python=python, graph=graph)
    found = {row["module"]: row["status"] for row in attribute(log.events).iter_rows(named=True)}
    assert {f"one{number % 8}.part{number}" for number in range(200)} <= found.keys()
    assert {status for name, status in found.items() if name.startswith("one")} == {"ok"}
    assert (log.is_whole, log.validity) == (True, ())
    check_sum(log)


@every_python
def test_a_command_finds_the_modules_that_it_would_find(python: str, folder: Path) -> None:
    argv = (python, "-c", "import sys; print(sorted(sys.modules))")
    run = capture_command_imports(Target(argv=argv), folder / "run")
    plain = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    added = set(ast.literal_eval((run / "stdout.log").read_text())) - set(ast.literal_eval(plain))
    assert added <= {
        "atexit",
        "sitecustomize",
        "__future__",
    }  # the first is built in, the others are of the start


@every_python
def test_nothing_is_imported_that_a_bare_interpreter_has_not(python: str, folder: Path) -> None:
    (log,) = logs(folder, "pass", python=python)
    assert log.files == {}
    assert attribute(log.events)["module"].to_list() == ["<program>"]
