"""Chosen imports made lazy, measured and watched from within, on every interpreter that is found here."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path

import pytest

from diagtools.analyse.laziness import Verdict, verify
from diagtools.capture.laziness import Cut, capture_lazily
from diagtools.errors import DamagedError, NoDataError, UsageError
from diagtools.read.laziness import NO_END, Forced, LazyPair, read_child, read_pairs, read_places
from tests.support.interpreters import every_python

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux")

MIB = 2**20
HEAVY = "kept = bytearray(b'x' * (20 << 20))\nvalue = 5\nother = 6\n"


@dataclass(frozen=True, kw_only=True)
class Ran:
    """What a capture came to: the costs, and what the last pair printed."""

    folder: Path
    pairs: tuple[LazyPair, ...]
    plain: str
    lazy: str
    errors: str

    @property
    def forced(self) -> list[tuple[str, str, int, str]]:
        """Name, file, line and function, of the last lazy run."""
        return [(use.name, Path(use.file).name, use.line, use.function) for use in self.pairs[-1].lazy.forced]


class World:
    """A folder of modules of known cost, on the path of what is measured."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.src = folder / "src"
        self.write("heavy.py", HEAVY)

    def write(self, name: str, text: str) -> None:
        path = self.src / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))

    def run(
        self,
        *statements: str,
        cuts: list[tuple[str, int]],
        python: str = sys.executable,
        pairs: int = 1,
        even_in_try: bool = False,
        timeout_s: float = 60.0,
    ) -> Ran:
        places = [Cut(file=str(self.src / name), line=line) for name, line in cuts]
        run = capture_lazily(
            statements,
            places,
            self.folder / "run",
            python=python,
            pairs=pairs,
            even_in_try=even_in_try,
            timeout_s=timeout_s,
        )
        texts = {
            path.parent.name.split("-")[0]: path.read_text() for path in sorted(run.glob("*-*/stdout.log"))
        }
        errors = "".join(path.read_text() for path in sorted(run.glob("lazy-*/stderr.log")))
        return Ran(
            folder=run,
            pairs=read_pairs(run),
            plain=texts.get("plain", ""),
            lazy=texts.get("lazy", ""),
            errors=errors,
        )


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "src"))
    return World(tmp_path)


# --- what is saved ---------------------------------------------------------------------------------


@every_python
def test_an_unused_import_saves_what_it_kept(python: str, world: World) -> None:
    world.write("pkg/__init__.py", "import heavy\n\ndef use():\n    return heavy.value\n")
    ran = world.run("import pkg", cuts=[("pkg/__init__.py", 1)], python=python, pairs=3)
    found = verify(ran.pairs, 20 * MIB)
    assert (found.verdict, found.forced, found.error) == (Verdict.SAVES, (), "")
    assert found.saved_anon_bytes == pytest.approx(20 * MIB, abs=0.3 * MIB)
    assert found.low_anon_bytes == pytest.approx(20 * MIB, abs=0.3 * MIB)
    assert (found.n_modules, found.n_lazy, found.n_pairs) == (1, 1, 3)


BARE = """
def anon():
    with open("/proc/self/statm") as file:
        _, resident, shared, *_ = file.read().split()
    return (int(resident) - int(shared)) * 4096
before = anon()
import pkg
print(anon() - before)
"""


@every_python
def test_small_things_cost_what_they_cost_without_us(python: str, world: World) -> None:
    """Memory that the recorder has used and freed would hide them: the allocator gives it out again."""
    world.write("small.py", "kept = [object() for _ in range(40_000)]\n")
    world.write("pkg.py", "import small\n")
    ran = world.run("import pkg", cuts=[("pkg.py", 1)], python=python, pairs=3)
    found = verify(ran.pairs, MIB)
    bare = [
        int(subprocess.run([python, "-c", BARE], capture_output=True, check=True).stdout) for _ in range(3)
    ]
    plain = sorted(pair.plain.anon_bytes for pair in ran.pairs)[1]
    assert plain == pytest.approx(sorted(bare)[1], abs=0.3 * MIB)
    assert found.saved_anon_bytes == pytest.approx(sorted(bare)[1], abs=0.3 * MIB)


@every_python
def test_a_use_in_the_same_package_forces_it(python: str, world: World) -> None:
    world.write("pkg/__init__.py", "from . import base, user\n")
    world.write("pkg/base.py", "import heavy\n\ndef value():\n    return heavy.value\n")
    world.write("pkg/user.py", "from . import base\n\nTOTAL = base.value()\n")
    ran = world.run("import pkg", cuts=[("pkg/base.py", 1)], python=python)
    found = verify(ran.pairs, 20 * MIB)
    assert found.verdict is Verdict.FORCED
    assert found.forced == (
        Forced(
            module="pkg.base",
            name="heavy",
            cut_file=str(world.src / "pkg/base.py"),
            cut_line=1,
            file=str(world.src / "pkg/base.py"),
            line=4,
            function="value",
        ),
    )
    assert found.saved_anon_bytes == pytest.approx(0, abs=0.3 * MIB)


@every_python
def test_one_of_two_forced_saves_partly(python: str, world: World) -> None:
    world.write("less.py", "kept = [b'x' * (5 << 20)]\n")
    world.write("pkg.py", "import heavy\nimport less\nSIZE = len(less.kept[0])\n")
    ran = world.run("import pkg", cuts=[("pkg.py", 1), ("pkg.py", 2)], python=python)
    found = verify(ran.pairs, 25 * MIB)
    assert found.verdict is Verdict.PARTLY
    assert ran.forced == [("less", "pkg.py", 3, "<module>")]
    assert found.saved_anon_bytes == pytest.approx(20 * MIB, abs=0.3 * MIB)


# --- it behaves as an import -----------------------------------------------------------------------

ALIKE = {
    "from": ("from heavy import value, other\nprint(value)\n", [1], [("value", 2)]),
    "as": ("import heavy as h\nprint(h.value, h.__name__)\n", [1], [("h", 2)]),
    "from_as": ("from heavy import value as v\nprint(v)\n", [1], [("v", 2)]),
    "dotted": (
        "import deep.er\nprint(deep.er.leaf, sorted(n for n in dir(deep) if n[0] != '_'))\n",
        [1],
        [("deep", 2)],
    ),
    "dotted_as": ("import deep.er as e\nprint(e.leaf)\n", [1], [("e", 2)]),
    "two_dotted": (
        "import deep.er\nimport deep.two\nprint(deep.er.leaf, deep.two.leaf)\n",
        [1, 2],
        [("deep", 3)],
    ),
    "submodule": ("from deep import er\nprint(er.leaf)\n", [1], [("er", 2)]),
    "several": (
        "import json, heavy\nprint(heavy.value, json.loads('[1]'))\n",
        [1],
        [("heavy", 2), ("json", 2)],
    ),
    "rebound": ("import heavy as x\nfrom deep import er as x\nprint(x.leaf)\n", [1, 2], [("x", 3)]),
    "rebound_plainly": ("import heavy as x\nx = 3\nprint(x)\n", [1], []),
    "binds_again": ("x = 3\nimport heavy as x\nprint(x.value)\n", [2], [("x", 3)]),
    "branch": (
        "if 0:\n    import heavy as x\nelse:\n    import deep.er as x\nprint(x.leaf)\n",
        [2, 4],
        [("x", 5)],
    ),
    "never": ("if 0:\n    import heavy\ntry:\n    heavy\nexcept NameError as e:\n    print(e)\n", [2], []),
    "del": ("import heavy\ndel heavy\ntry:\n    heavy\nexcept NameError as e:\n    print(e)\n", [1], []),
    "del_of_two": (
        "import heavy, deep\ny = 1\ndel heavy, y\nprint('heavy' in globals(), deep.__name__)\n",
        [1],
        [("deep", 4)],
    ),
    "del_after_use": (
        "import heavy\nheavy.value\ndel heavy\ntry:\n    heavy\nexcept NameError as e:\n    print(e)\n",
        [1],
        [("heavy", 2)],
    ),
    "del_in_function": (
        "import heavy\ndef f():\n    global heavy\n    del heavy\nf()\nprint('heavy' in globals())\n",
        [1],
        [],
    ),
    "global": ("import heavy\ndef f():\n    global heavy\n    heavy = 3\nf()\nprint(heavy)\n", [1], []),
    "local_del": (
        "import heavy\ndef f():\n    heavy = 3\n    del heavy\nf()\nprint(heavy.value)\n",
        [1],
        [("heavy", 6)],
    ),
    "class_body": ("import heavy\nclass A:\n    x = heavy.value\nprint(A.x)\n", [1], [("heavy", 3)]),
    "builtin": (
        "from deep.er import leaf as len\nprint(len)\ndel len\nprint(len('ab'))\n",
        [1],
        [("len", 2)],
    ),
    "fails": (
        "import no_such\nfor _ in '12':\n    try:\n        no_such\n    except ImportError as e:\n        print(e)\n",
        [1],
        None,
    ),
    "no_name": ("from heavy import nothing\n", [1], None),
    "with": (
        "from contextlib import suppress\nwith suppress(ImportError):\n    import heavy\nprint(heavy.value)\n",
        [3],
        [("heavy", 4)],
    ),
    "closing": (
        "import heavy\nfrom os import closerange\ncloserange(3, 99)\nprint(heavy.value)\n",
        [1],
        [("heavy", 4)],
    ),
    "many_lines": (
        "from heavy import (\n    value,\n    other,\n)\nprint(value, other)\n",
        [2, 3],
        [("value", 5), ("other", 5)],
    ),
    "eval": ("import heavy\nprint(eval('heavy.value'))\n", [1], [("heavy", 1)]),
    "future": (
        "'''Text.'''\nfrom __future__ import annotations\nimport heavy\nx: no = 1\nprint(__doc__, __annotations__)\n",
        [3],
        [],
    ),
}


def _deep(world: World) -> None:
    world.write("deep/__init__.py", "")
    world.write("deep/er.py", "leaf = 'leaf'\n")
    world.write("deep/two.py", "leaf = 'two'\n")


@every_python
def test_every_form_of_import_means_the_same(python: str, world: World) -> None:
    """In one program, for the price of two processes; each form is a module of its own."""
    _deep(world)
    alike = {name: case for name, case in ALIKE.items() if case[2] is not None and name != "closing"}
    for name, (text, _, _) in alike.items():
        world.write(f"case_{name}.py", text)
    cuts = [(f"case_{name}.py", line) for name, (_, lines, _) in alike.items() for line in lines]
    ran = world.run(*(f"print({n!r}); import case_{n}" for n in alike), cuts=cuts, python=python)
    assert [place.refused for place in read_places(ran.folder)] == [""] * len(cuts)
    assert ran.lazy == ran.plain
    assert (ran.pairs[0].plain.error, ran.pairs[0].lazy.error, ran.errors) == ("", "", "")
    used = [(use.module, use.name, use.line) for use in ran.pairs[0].lazy.forced]
    expected = [(f"case_{n}", *use) for n, (_, _, uses) in alike.items() for use in uses or ()]
    assert used == expected


@every_python
def test_events_are_written_also_where_every_file_is_closed(python: str, world: World) -> None:
    world.write("case.py", ALIKE["closing"][0])
    ran = world.run("import case", cuts=[("case.py", 1)], python=python)
    assert ran.forced == [("heavy", "case.py", 4, "<module>")]
    assert ran.pairs[0].lazy.error == ""


@every_python
def test_a_look_into_the_namespace_does_not_see_what_waits(python: str, world: World) -> None:
    """Documented: PEP 810 has a lazy object there, which is not imported either."""
    world.write("pkg.py", "import heavy\nprint('heavy' in globals())\n")
    ran = world.run("import pkg", cuts=[("pkg.py", 1)], python=python)
    assert (ran.plain, ran.lazy, ran.forced) == ("True\n", "False\n", [])


@every_python
def test_a_relative_import_is_relative_to_its_package(python: str, world: World) -> None:
    world.write(
        "pkg/__init__.py", "from . import one\nfrom .one import two as three\nprint(one.two, three)\n"
    )
    world.write("pkg/one.py", "two = 2\n")
    world.write(
        "pkg/sub/__init__.py", "from .. import one\nfrom ..one import two\nprint(one.__name__, two)\n"
    )
    cuts = [
        ("pkg/__init__.py", 1),
        ("pkg/__init__.py", 2),
        ("pkg/sub/__init__.py", 1),
        ("pkg/sub/__init__.py", 2),
    ]
    ran = world.run("import pkg.sub", cuts=cuts, python=python)
    assert ran.lazy == ran.plain == "2 2\npkg.one 2\n"
    assert [use[0] for use in ran.forced] == ["one", "three", "one", "two"]


@every_python
def test_an_import_that_fails_fails_where_it_is_used_and_each_time(python: str, world: World) -> None:
    world.write("pkg.py", ALIKE["fails"][0])
    ran = world.run("import pkg", cuts=[("pkg.py", 1)], python=python)
    assert ran.lazy == "No module named 'no_such'\n" * 2
    assert ran.forced == [("no_such", "pkg.py", 4, "<module>")]
    found = verify(ran.pairs, 0)
    assert (found.verdict, found.error) == (Verdict.BREAKS, "no ModuleNotFoundError")


@every_python
def test_a_name_that_is_missing_is_not_missed_while_unused(python: str, world: World) -> None:
    world.write("pkg.py", ALIKE["no_name"][0])
    ran = world.run("import pkg\npkg.nothing", cuts=[("pkg.py", 1)], python=python)
    pair = ran.pairs[0]
    assert (pair.plain.error, pair.lazy.error) == ("ImportError", "ImportError")
    assert "cannot import name 'nothing' from 'heavy'" in ran.errors
    assert "frozen importlib" not in ran.errors.splitlines()[1]


# --- access from outside ---------------------------------------------------------------------------

OWN_HOOKS = """
import heavy

def __getattr__(name):
    if name == "made":
        return "made up"
    raise AttributeError("no " + name)

def __dir__():
    return ["made"]
"""


@every_python
def test_an_attribute_used_from_outside_is_there_and_its_place_is_named(python: str, world: World) -> None:
    world.write("pkg.py", "import heavy\nfrom heavy import value\n")
    world.write(
        "user.py", "import pkg\n\ndef use():\n    print(pkg.heavy.value)\n\nuse()\nfrom pkg import value\n"
    )
    ran = world.run("import user", cuts=[("pkg.py", 1), ("pkg.py", 2)], python=python)
    assert ran.lazy == ran.plain == "5\n"
    assert ran.forced == [("heavy", "user.py", 4, "use"), ("value", "user.py", 7, "<module>")]


@every_python
def test_a_name_taken_out_of_a_package_is_found_through_the_import_system(python: str, world: World) -> None:
    world.write("pkg/__init__.py", "import heavy\n")
    world.write(
        "user.py",
        "def use():\n    from pkg import heavy\n    import importlib\n    print(heavy.value)\n\nuse()\n",
    )
    ran = world.run("import user", cuts=[("pkg/__init__.py", 1)], python=python)
    assert ran.lazy == ran.plain == "5\n"
    assert ran.forced == [("heavy", "user.py", 2, "use")]


@every_python
def test_a_star_import_takes_the_names_that_wait(python: str, world: World) -> None:
    world.write("pkg.py", "import heavy\nfrom heavy import value as _v\n")
    world.write("user.py", "from pkg import *\nprint(heavy.value, '_v' in globals())\n")
    ran = world.run("import user", cuts=[("pkg.py", 1), ("pkg.py", 2)], python=python)
    assert ran.lazy == ran.plain == "5 False\n"
    assert ran.forced == [("heavy", "user.py", 1, "<module>")]


@every_python
def test_a_module_keeps_its_own_hooks(python: str, world: World) -> None:
    world.write("pkg.py", OWN_HOOKS)
    ran = world.run(
        "import pkg\nprint(pkg.made, dir(pkg), pkg.heavy.value)\ntry: pkg.none\nexcept AttributeError as e: print(e)",
        cuts=[("pkg.py", 2)],
        python=python,
    )
    assert ran.lazy == ran.plain == "made up ['made'] 5\nno none\n"
    assert ran.forced == [("heavy", "<imports>", 2, "<module>")]


@every_python
def test_a_module_looks_as_it_is(python: str, world: World) -> None:
    world.write("pkg.py", "import heavy\ny = 1\n")
    ran = world.run(
        "import pkg\nprint(dir(pkg), hasattr(pkg, 'none'))\ntry: pkg.none\nexcept AttributeError as e: print(e)",
        cuts=[("pkg.py", 1)],
        python=python,
    )
    assert ran.lazy == ran.plain
    assert "'heavy', 'y'] False\nmodule 'pkg' has no attribute 'none'\n" in ran.lazy
    assert ran.forced == []


@every_python
def test_threads_that_use_a_name_at_once_all_get_it(python: str, world: World) -> None:
    world.write(
        "pkg.py",
        """\
        import heavy
        import threading
        found = []
        threads = [threading.Thread(target=lambda: found.append(heavy.value)) for _ in range(8)]
        for each in threads: each.start()
        for each in threads: each.join()
        print(found)
        """,
    )
    ran = world.run("import pkg", cuts=[("pkg.py", 1)], python=python)
    assert ran.lazy == ran.plain == f"{[5] * 8}\n"
    assert ran.forced == [("heavy", "pkg.py", 4, "<lambda>")]


@every_python
def test_a_use_in_a_forked_child_counts(python: str, world: World) -> None:
    world.write(
        "pkg.py", "import heavy, os\nif os.fork() == 0:\n    heavy.value\n    os._exit(0)\nos.wait()\n"
    )
    ran = world.run("import pkg", cuts=[("pkg.py", 1)], python=python)
    assert [use[:3] for use in ran.forced] == [("os", "pkg.py", 2), ("heavy", "pkg.py", 3)]
    assert ran.pairs[0].lazy.error == ""


# --- what is not allowed ---------------------------------------------------------------------------

REFUSED = """\
from __future__ import annotations
from heavy import *
try:
    import json
except ImportError:
    import heavy
class A:
    import heavy
def f():
    import heavy
    try:
        import json
    except ImportError:
        pass
x = 1
import heavy
"""
REASONS = {
    1: "a __future__ import",
    2: "a star import",
    4: "in a try statement",
    6: "in a try statement",
    8: "in a class body",
    10: "in a function",
    12: "in a function",
    15: "no import statement stands there",
    16: "",
    99: "no import statement stands there",
}


@every_python
def test_a_place_that_forbids_it_says_why(python: str, world: World) -> None:
    world.write("pkg.py", REFUSED)
    ran = world.run("import pkg", cuts=[("pkg.py", line) for line in REASONS], python=python)
    assert {place.line: place.refused for place in read_places(ran.folder)} == REASONS
    assert ran.pairs[0].lazy.n_lazy == 1


def test_nothing_is_run_where_nothing_is_allowed(world: World) -> None:
    world.write("pkg.py", "def f(:\n")
    ran = world.run("import pkg", cuts=[("pkg.py", 1), ("none.py", 1)])
    first, second = (place.refused for place in read_places(ran.folder))
    assert first.startswith("cannot be compiled: SyntaxError: ")
    assert second.startswith("cannot be compiled: FileNotFoundError: ")
    assert ran.pairs == ()


@every_python
def test_what_stands_in_try_is_measured_where_that_is_wanted(python: str, world: World) -> None:
    world.write("pkg.py", "try:\n    import heavy\nexcept ImportError:\n    heavy = None\n")
    ran = world.run("import pkg", cuts=[("pkg.py", 2)], python=python, even_in_try=True)
    assert verify(ran.pairs, 20 * MIB).verdict is Verdict.SAVES
    assert read_places(ran.folder)[0].refused == ""


def test_a_folder_that_holds_something_is_left_alone(world: World) -> None:
    (world.folder / "run").mkdir()
    (world.folder / "run" / "kept").touch()
    with pytest.raises(UsageError, match="exists already"):
        world.run("pass", cuts=[])


# --- programs that end otherwise -------------------------------------------------------------------


@every_python
def test_what_was_forced_before_a_hard_end_is_known(python: str, world: World) -> None:
    world.write("pkg.py", "import heavy\nimport os\nheavy.value\nos._exit(3)\n")
    ran = world.run("import pkg", cuts=[("pkg.py", 1)], python=python)
    assert (ran.pairs[0].plain.error, ran.pairs[0].lazy.error) == (NO_END, NO_END)
    assert ran.forced == [("heavy", "pkg.py", 3, "<module>")]


def test_a_program_that_hangs_is_ended_once(world: World) -> None:
    world.write("pkg.py", "import heavy\nimport time\ntime.sleep(600)\n")
    with pytest.raises(UsageError, match="did not end within"):
        world.run("import pkg", cuts=[("pkg.py", 1)], timeout_s=0.5)


def test_a_program_that_hangs_lazily_breaks(world: World) -> None:
    world.write("pkg.py", "import heavy\nimport sys, time\nif 'heavy' not in sys.modules: time.sleep(600)\n")
    ran = world.run("import pkg", cuts=[("pkg.py", 1)], timeout_s=2.0)
    found = verify(ran.pairs, 20 * MIB)
    assert (found.verdict, found.error) == (Verdict.BREAKS, NO_END)


def test_a_failing_statement_is_a_result(world: World) -> None:
    world.write("pkg.py", "import heavy\nraise LookupError('no')\n")
    ran = world.run("import pkg", cuts=[("pkg.py", 1)])
    assert (ran.pairs[0].plain.error, ran.pairs[0].lazy.error) == ("LookupError", "LookupError")
    assert ran.errors.splitlines()[1].startswith('  File "<imports>", line 1')


@every_python
def test_warnings_point_where_they_did(python: str, world: World) -> None:
    world.write("pkg.py", "import heavy\nimport warnings\nwarnings.warn('old', stacklevel=2)\n")
    world.write("user.py", "import warnings\nwarnings.simplefilter('always')\n\nimport pkg\n")
    ran = world.run("import user", cuts=[("pkg.py", 1)], python=python)
    assert "user.py:4: UserWarning: old" in ran.errors


# --- the probe itself ------------------------------------------------------------------------------


@every_python
def test_nothing_is_imported_that_a_bare_interpreter_has_not(python: str, world: World) -> None:
    world.write("pkg.py", "import sys\nprint(sorted(set(sys.modules) - {'pkg'}))\n")
    ran = world.run("import pkg", cuts=[("pkg.py", 1)], python=python)
    bare = subprocess.run([python, "-c", "import pkg"], capture_output=True, text=True, check=True)
    assert ran.plain == ran.lazy == bare.stdout


@every_python
def test_a_file_is_known_by_another_path(python: str, world: World) -> None:
    world.write("pkg.py", "import heavy\n")
    (world.src / "linked").symlink_to(world.src)
    ran = world.run("import pkg", cuts=[("linked/pkg.py", 1)], python=python)
    assert ran.pairs[0].lazy.n_lazy == 1


def test_expressions_as_deep_as_they_may_be_are_compiled(world: World) -> None:
    world.write("pkg.py", "import heavy\nx = 1\ny = " + "x + " * 900 + "x\nprint(y)\n")
    ran = world.run("import pkg", cuts=[("pkg.py", 1)])
    assert ran.lazy == ran.plain == "901\n"


def test_a_damaged_log_gives_what_is_whole(world: World) -> None:
    world.write("pkg.py", "import heavy\nheavy.value\n")
    ran = world.run("import pkg", cuts=[("pkg.py", 1)])
    (log,) = (ran.folder / "lazy-1").glob("laziness.*.log")
    data = log.read_bytes()
    whole = read_child(ran.folder / "lazy-1")
    for end in range(data.index(b"\n") + 1, len(data) - 1):
        log.write_bytes(data[:end])
        found = read_child(ran.folder / "lazy-1")
        assert (found.error, found.is_whole) == (NO_END, False)
        assert found.forced in ((), whole.forced)
    for place in range(data.index(b"\n") + 1, len(data)):
        log.write_bytes(data[:place] + b"\xff" + data[place + 1 :])
        assert len(read_child(ran.folder / "lazy-1").forced) <= 1
    log.write_bytes(b"")
    with pytest.raises(NoDataError, match="did not begin"):
        read_child(ran.folder / "lazy-1")


@pytest.mark.parametrize(
    "text", ["", "{", "[1]", '[{"file": "a"}]', "7", '[{"file":"a","line":"x","names":[]}]']
)
def test_damaged_places_are_told(text: str, tmp_path: Path) -> None:
    (tmp_path / "places.json").write_text(text)
    with pytest.raises(DamagedError, match="damaged"):
        read_places(tmp_path)


def test_places_of_nothing_are_no_data(tmp_path: Path) -> None:
    with pytest.raises(NoDataError, match="No lazy imports"):
        read_places(tmp_path)


# --- the real thing --------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_optional_dependency_that_altair_brings(tmp_path: Path) -> None:
    """FACTS: a quarter of altair's cost, from jsonschema's optional format checker, in an ``except`` block."""
    pytest.importorskip("rfc3987_syntax")
    from jsonschema import _format

    lines = Path(_format.__file__).read_text().splitlines()
    line = next(number for number, text in enumerate(lines, 1) if "from rfc3987_syntax import" in text)
    cuts = [Cut(file=_format.__file__, line=line)]
    run = capture_lazily(["import altair"], cuts, tmp_path / "run", pairs=3, even_in_try=True)
    found = verify(read_pairs(run), 16_100_000)
    assert (found.verdict, found.forced, found.n_lazy) == (Verdict.SAVES, (), 1)
    assert found.saved_anon_bytes == pytest.approx(16_000_000, abs=1_500_000)
