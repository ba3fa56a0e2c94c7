"""What git is asked, and what it must not do."""

from __future__ import annotations

from pathlib import Path

import pytest

from diagtools.capture.git import GitRefused, checkout_of, commit_of, git, is_tracked
from diagtools.errors import UnavailableError, UsageError
from tests.support import repository as made


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return made.repository(tmp_path / "repo")


def test_the_checkout_of_a_folder_in_it(repository: Path) -> None:
    assert checkout_of(repository / "src") == repository
    assert len(commit_of(repository, "HEAD~1")) == 40


def test_somebody_elses_git_dir_does_not_count(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hook of git runs its commands with these variables set."""
    monkeypatch.setenv("GIT_DIR", "/no/such/place")
    assert checkout_of(repository) == repository


def test_a_folder_without_a_repository_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"is in no checkout of a git repository\. Hint:"):
        checkout_of(tmp_path)


@pytest.mark.parametrize("rev", ["nosuch", "--upload-pack=x", "HEAD~9", ""])
def test_an_unknown_revision_is_said(repository: Path, rev: str) -> None:
    with pytest.raises(UsageError, match=f"has no revision '{rev}'"):
        commit_of(repository, rev)


def test_a_shallow_clone_is_said(repository: Path, tmp_path: Path) -> None:
    made.git(tmp_path, "clone", "-q", "--depth", "1", repository.as_uri(), "shallow")
    with pytest.raises(UsageError, match="git fetch --unshallow"):
        commit_of(tmp_path / "shallow", "HEAD~1")


def test_what_git_knows(repository: Path) -> None:
    (repository / "data").mkdir()
    (repository / "data" / "big.csv").touch()
    (repository / "[x].py").touch()
    assert is_tracked(repository, repository / "src")
    assert is_tracked(repository, repository / "app.py")
    assert not is_tracked(repository, repository / "data" / "big.csv")
    assert not is_tracked(repository, repository / "[x].py")
    assert not is_tracked(repository, repository.parent)


def test_a_missing_git_is_said(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(UnavailableError, match="git is not installed here"):
        git(repository, "status")


def test_what_git_refuses_is_said_without_secrets(repository: Path) -> None:
    with pytest.raises(GitRefused) as caught:
        git(repository, "fetch", "https://ada:hunter2@localhost:9/x")
    assert "hunter2" not in str(caught.value)
