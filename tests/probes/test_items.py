"""Files that a program opens under a folder are its items."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from diagtools.probes import boot
from tests.support.interpreters import every_python
from tests.support.programs import Program, begun, feature, told


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path)


@every_python
def test_files_opened_under_a_folder_are_items(python: str, tmp_path: Path) -> None:
    program = Program(tmp_path, python)
    program.write("corpus/a.txt", "12345")
    program.write("corpus/sub/b.txt", "123")
    program.write(
        "program.py",
        """
        import os, pathlib
        open("corpus/a.txt").read()
        open(b"corpus/a.txt", "rb").read()
        pathlib.Path("corpus/sub/b.txt").read_text()
        os.close(os.open(os.path.abspath("corpus/a.txt"), os.O_RDONLY))
        """,
    )
    rows = program.recorded("program.py", under="corpus")
    assert told(rows) == [
        ("begin", "a.txt"),
        ("end", "a.txt", "ok"),
        ("begin", "sub/b.txt"),
        ("end", "sub/b.txt", "ok"),
        ("begin", "a.txt"),
        ("end", "a.txt", "ok"),
    ]
    assert [feature(row) for row in rows if row["edge"] == "begin"] == [
        {"size_bytes": 5},
        {"size_bytes": 3},
        {"size_bytes": 5},
    ]


@pytest.mark.parametrize(
    ("how", "names"),
    [
        ("open('corpus/../corpus//./a.txt')", ["a.txt"]),
        ("open('link/a.txt')", ["a.txt"]),
        ("os.chdir('corpus/sub'); open('../a.txt'); open('b.txt')", ["a.txt", "sub/b.txt"]),
        ("open('corpus/outside.txt')", ["outside.txt"]),  # a link that leads out
        ("open('link-to-a.txt')", []),  # a link that leads in: the path that was asked is not below
        ("open('corpus/../beside.txt')", []),
        ("open('corpus-2/a.txt')", []),
        ("os.open('corpus', os.O_RDONLY); os.scandir('corpus'); os.listdir('corpus/sub')", []),
        ("open(os.dup(0)); os.stat('corpus/a.txt')", []),
        ("open('corpus/new', 'w'); open('corpus/a.txt', 'a'); open('corpus/a.txt', 'r+')", []),
        ("os.open('corpus/new', os.O_CREAT | os.O_RDONLY); os.open('corpus/a.txt', os.O_RDWR)", []),
        ("open('corpus/x.pyc'); open('corpus/__pycache__/y')", []),
        ("import corpus.code", []),
        ("open('corpus/code.py')", ["code.py"]),
    ],
)
def test_what_counts_is_the_path_that_was_asked(how: str, names: list[str], program: Program) -> None:
    for name in ["corpus/a.txt", "corpus/sub/b.txt", "beside.txt", "corpus-2/a.txt", "corpus/code.py"]:
        program.write(name, "")
    for name in ["corpus/x.pyc", "corpus/__pycache__/y"]:
        program.write(name, "")
    (program.folder / "link").symlink_to("corpus")
    (program.folder / "link-to-a.txt").symlink_to("corpus/a.txt")
    (program.folder / "corpus/outside.txt").symlink_to("../beside.txt")
    assert begun(program.recorded("-c", f"import os; {how}", under="corpus")) == names


def test_a_folder_given_by_a_link_is_the_folder(program: Program) -> None:
    program.write("corpus/a.txt", "")
    (program.folder / "link").symlink_to("corpus")
    rows = program.recorded("-c", "open('corpus/a.txt'); open('link/a.txt')", under="link")
    assert begun(rows) == ["a.txt"]


def test_names_are_the_bytes_of_the_file_system(program: Program) -> None:
    program.write("corpus/a", "")
    (program.folder / "corpus/a").rename(program.folder / "corpus" / os.fsdecode(b"\xff\n\t"))
    rows = program.recorded(
        "-c", "import os\nfor name in os.listdir('corpus'): open('corpus/' + name)", under="corpus"
    )
    assert begun(rows) == ["\\xff\n\t"]


def test_a_file_that_cannot_be_opened_fails_as_without_us(program: Program) -> None:
    program.write("program.py", "open('corpus/none')")
    program.write("corpus/a", "")
    plain = program.execute("program.py")
    seen = program.record("program.py", under="corpus")
    assert (seen.stderr, seen.returncode) == (plain.stderr, 1)
    assert program.rows() == []


@every_python
def test_the_program_itself_is_no_item(python: str, tmp_path: Path) -> None:
    program = Program(tmp_path, python)
    program.write("program.py", "import other; open('other.py')")
    program.write("other.py", "")
    program.write("package/__main__.py", "import other; open('other.py')")
    for number, arguments in enumerate([("program.py",), ("-m", "program"), ("package",)], start=1):
        env = {"PYTHONPATH": str(tmp_path)}
        assert (
            program.execute(
                *arguments, **{**env, **boot.environment(env, str(program.run), items_under=str(tmp_path))}
            ).returncode
            == 0
        )
        assert begun(program.rows()) == ["other.py"] * number


def test_each_thread_is_at_a_file_of_its_own(program: Program) -> None:
    for name in "abc":
        program.write(f"corpus/{name}", "")
    program.write(
        "program.py",
        """
        import threading
        open("corpus/a")
        thread = threading.Thread(target=lambda: (open("corpus/b"), open("corpus/c")))
        thread.start()
        thread.join()
        open("corpus/b")
        """,
    )
    rows = program.recorded("program.py", under="corpus")
    by_tid: dict[int, list[tuple[str, ...]]] = {}
    for row in rows:
        by_tid.setdefault(row["tid"], []).extend(told([row]))
    assert [*by_tid.values()] == [
        [("begin", "a"), ("end", "a", "ok"), ("begin", "b"), ("end", "b", "ok")],
        [("begin", "b"), ("end", "b", "ok"), ("begin", "c"), ("end", "c", "ok")],
    ]


def test_a_forked_child_is_at_its_own_file(program: Program) -> None:
    program.write("corpus/a", "")
    code = "import os, sys\nopen('corpus/a')\nif os.fork() == 0: open('corpus/a'); sys.exit()\nos.wait()"
    rows = program.recorded("-W", "ignore", "-c", code, under="corpus")
    assert len({row["pid"] for row in rows}) == 2
    assert sorted(told(rows)) == [("begin", "a")] * 2 + [("end", "a", "ok")] * 2


def test_its_own_marks_and_the_files_it_opens_do_not_end_each_other(program: Program) -> None:
    program.write("corpus/a", "")
    program.write("corpus/b", "")
    code = (
        "from diagtools import mark; mark.item('own'); open('corpus/a'); open('corpus/b'); mark.item('own 2')"
    )
    rows = program.recorded("-c", code, under="corpus")
    assert told(rows)[:5] == [
        ("begin", "own"),
        ("begin", "a"),
        ("end", "a", "ok"),
        ("begin", "b"),
        ("end", "own", "ok"),
    ]
