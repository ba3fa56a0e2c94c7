"""Which files has the repository's own `.gitignore` files declared to be products?"""

from functools import cache
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from workloads.rag.errors import ConfigError

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec


class IgnoreRules:
    """What do the `.gitignore` files at and below a root say about a path?

    As git reads them: the deepest file with a matching pattern decides, and what lies in an ignored folder
    cannot be asked back. Files above the root are not read. Raises ConfigError where pathspec is absent.
    """

    def __init__(self, root: Path) -> None:
        try:
            from pathspec import GitIgnoreSpec
        except ImportError as error:
            hint = "make setup, or pip install pathspec."
            raise ConfigError("--exclude-generated needs the package pathspec.", hint=hint) from error
        self._root = root
        self._parse = GitIgnoreSpec.from_lines
        self._spec = cache(self._read)
        self._decided = cache(self._decide)

    def covers(self, relative: str) -> bool:
        """Is this file ignored, itself or with a folder above it?"""
        folders = [f"{folder}/" for folder in PurePosixPath(relative).parents if folder.name]
        return any(map(self._decided, [*reversed(folders), relative]))

    def _decide(self, relative: str) -> bool:
        """Which pattern speaks last about exactly this path? Folders end in a slash."""
        for folder in PurePosixPath(relative).parents:
            spec = self._spec(folder)
            below = relative.removeprefix(f"{folder}/") if folder.name else relative
            verdict = spec.check_file(below).include if spec else None
            if verdict is not None:
                return verdict
        return False

    def _read(self, folder: PurePosixPath) -> "GitIgnoreSpec | None":
        path = self._root / folder / ".gitignore"
        try:
            lines = path.read_text(encoding="utf-8", errors="surrogateescape") if path.is_file() else ""
        except OSError:
            return None  # git would not read it either
        return self._parse(lines.splitlines()) if lines else None
