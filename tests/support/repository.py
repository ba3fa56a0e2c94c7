"""A small git repository of two commits, made in a folder."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path


def git(folder: Path, *words: str) -> str:
    env = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    who = ("-c", "user.name=tests", "-c", "user.email=tests@example.org", "-c", "protocol.file.allow=always")
    done = subprocess.run(["git", "-C", str(folder), *who, *words], env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def commit(folder: Path, files: dict[str, str]) -> None:
    """One commit more, with these files as they are now."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    git(folder, "add", "--all")
    git(folder, "commit", "-q", "-m", "more")


def repository(folder: Path) -> Path:
    """``src/shop.py`` says 1 in the first commit and 2 in the second; ``new.py`` came with the second."""
    folder.mkdir()
    git(folder, "init", "-q")
    commit(folder, {"src/shop.py": "print(1)\n", "app.py": "import shop\n", ".gitignore": "data/\n.venv/\n"})
    commit(folder, {"src/shop.py": "print(2)\n", "new.py": "import shop\n"})
    return folder
