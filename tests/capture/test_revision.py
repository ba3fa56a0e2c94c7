"""Another revision of one's own code: the checkout stays as it is, and the command runs the other code."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from diagtools.capture.revision import at_revision, revision
from diagtools.errors import UnavailableError, UsageError
from diagtools.values import Target
from tests.support import repository as made


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DIAGTOOLS_CACHE", str(tmp_path / "cache"))
    return made.repository(tmp_path / "repo")


def printed(target: Target) -> str:
    env = {**os.environ, **target.env}
    done = subprocess.run(target.argv, cwd=target.cwd, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def target(repository: Path, *words: str, **env: str) -> Target:
    return Target(argv=(sys.executable, *words), cwd=repository, env=env)


# --- the worktree --------------------------------------------------------------------------------------


def test_the_checkout_is_not_touched(repository: Path) -> None:
    (repository / "app.py").write_text("changed\n")
    (repository / "stray.txt").touch()
    before = made.git(repository, "status", "--porcelain")
    folder = revision("HEAD~1", cwd=repository / "src")
    assert (folder / "src" / "shop.py").read_text() == "print(1)\n"
    assert not (folder / "new.py").exists()
    assert made.git(repository, "status", "--porcelain") == before
    assert made.git(repository, "branch", "--show-current").strip()


def test_the_second_time_it_is_the_same_folder(repository: Path) -> None:
    first = revision("HEAD~1", cwd=repository)
    inode = first.stat().st_ino
    assert revision(made.git(repository, "rev-parse", "HEAD~1").strip(), cwd=repository) == first
    assert first.stat().st_ino == inode


@pytest.mark.parametrize("damage", ["changed", "gone", "half gone", "not ours"])
def test_a_broken_one_is_made_anew(repository: Path, damage: str) -> None:
    folder = revision("HEAD~1", cwd=repository)
    if damage == "changed":
        (folder / "src" / "shop.py").write_text("print(3)\n")
    elif damage == "half gone":
        shutil.rmtree(folder / "src")
    else:
        shutil.rmtree(folder)
        if damage == "not ours":
            folder.mkdir()
            (folder / "file").touch()
    assert (revision("HEAD~1", cwd=repository) / "src" / "shop.py").read_text() == "print(1)\n"


def test_one_that_was_not_asked_for_lately_is_removed(repository: Path) -> None:
    old = revision("HEAD~1", cwd=repository)
    os.utime(old, (0, 0))
    new = revision("HEAD", cwd=repository)
    assert (old.exists(), new.exists()) == (False, True)
    assert str(old) not in made.git(repository, "worktree", "list")


def test_no_hook_runs(repository: Path) -> None:
    hook = repository / ".git" / "hooks" / "post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {repository}/hooked\n")
    hook.chmod(0o755)
    revision("HEAD~1", cwd=repository)
    assert not (repository / "hooked").exists()


def test_files_that_a_filter_makes_are_said_and_the_filter_does_not_run(repository: Path) -> None:
    made.commit(repository, {".gitattributes": "*.bin filter=big\n", "a.bin": "x\n"})
    made.git(repository, "config", "filter.big.smudge", f"touch {repository}/smudged; cat")
    made.git(repository, "config", "filter.big.required", "true")
    with pytest.raises(UnavailableError, match="made by the filter 'big'"):
        revision("HEAD", cwd=repository)
    assert not (repository / "smudged").exists()
    assert revision("HEAD~1", cwd=repository).is_dir()


def test_submodules_are_said(repository: Path, tmp_path: Path) -> None:
    made.git(
        repository, "submodule", "--quiet", "add", made.repository(tmp_path / "lib").as_uri(), "libs/lib"
    )
    made.git(repository, "commit", "-q", "-m", "sub")
    with pytest.raises(UnavailableError, match=r"has submodules \(libs/lib\)"):
        revision("HEAD", cwd=repository)


# --- the command ---------------------------------------------------------------------------------------


def test_a_command_runs_the_code_of_the_revision(repository: Path) -> None:
    plain = target(repository, "app.py", PYTHONPATH=str(repository / "src"))
    assert (printed(plain), printed(at_revision(plain, "HEAD~1"))) == ("2", "1")


def test_absolute_paths_are_those_of_the_revision(repository: Path) -> None:
    moved = at_revision(
        target(repository, str(repository / "app.py"), f"--config={repository / 'app.py'}", PYTHONPATH="src"),
        "HEAD~1",
    )
    folder = revision("HEAD~1", cwd=repository)
    assert moved.argv[1:] == (str(folder / "app.py"), f"--config={folder / 'app.py'}")
    assert moved.cwd == folder
    assert printed(moved) == "1"


def test_a_link_to_the_checkout_is_the_checkout(repository: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(repository)
    moved = at_revision(target(repository, str(tmp_path / "link" / "app.py")), "HEAD~1")
    assert moved.argv[1] == str(revision("HEAD~1", cwd=repository) / "app.py")


def test_what_git_does_not_know_stays_where_it_is(repository: Path) -> None:
    (repository / "data").mkdir()
    (repository / "data" / "big.csv").touch()
    (repository / ".venv").symlink_to(Path(sys.executable).parents[1])
    python = str(repository / ".venv" / "bin" / "python")
    asked = Target(argv=(python, "app.py", "data/big.csv", "-v", "no/such/file"), cwd=repository)
    moved = at_revision(asked, "HEAD~1")
    assert moved.argv == (python, "app.py", str(repository / "data" / "big.csv"), "-v", "no/such/file")


@pytest.mark.parametrize("how", ["path file", "hook"])
def test_an_editable_install_does_not_win(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """By a path that stands on sys.path, or by a hook of which only the metadata tell."""
    site = tmp_path / "site"
    info = site / "shop-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: shop\nVersion: 1.0\n")
    if how == "hook":
        (info / "direct_url.json").write_text(
            f'{{"url": "{repository.as_uri()}", "dir_info": {{"editable": true}}}}'
        )
    path = [site] if how == "hook" else [site, repository / "src"]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(map(str, path)))
    moved = at_revision(target(repository, "-c", "import shop"), "HEAD~1")
    first = moved.env["PYTHONPATH"].split(os.pathsep)[0]
    assert Path(first) == revision("HEAD~1", cwd=repository) / "src"
    assert printed(moved) == "1"


def test_what_the_revision_does_not_have_is_said(repository: Path) -> None:
    with pytest.raises(UsageError, match=r"'new.py' does not exist at the revision 'HEAD~1'"):
        at_revision(target(repository, "new.py"), "HEAD~1")
    made.commit(repository, {"later/app.py": ""})
    with pytest.raises(UsageError, match=r"'later' does not exist at the revision 'HEAD~1'"):
        at_revision(target(repository / "later", "app.py"), "HEAD~1")
