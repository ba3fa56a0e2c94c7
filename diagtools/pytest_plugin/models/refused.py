"""What is said of a test that loaded a real model where it gets mocks?"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from diagtools.pytest_plugin.models.guard import Call, Line
from diagtools.pytest_plugin.models.mocks_lines import MockLine

_PYTEST = ("/_pytest/", "/pluggy/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A call of a real loader: which one, by whom, in which file's test (or while that file was imported)."""

    line: MockLine
    call: Call
    file: Path
    root: Path
    is_collecting: bool

    def __str__(self) -> str:
        return "\n".join(filter(None, (self._fact(), self._cause(), f"Hint: {self._hint()}")))

    def _fact(self) -> str:
        called, through = self.call.lines[0], self._through()
        reached = f", reached from {self._shown(through)}" if through and through != called else ""
        thread = f" (thread '{self.call.thread}')" if self.call.thread else ""
        where = (
            "while a file of diag_mock_paths was imported"
            if self.is_collecting
            else "in a test that gets mocks"
        )
        return f"The real {self.line.target} was called at {self._shown(called)}{reached}{thread}, {where}."

    def _cause(self) -> str:
        known = self.call.known_as
        if self.is_collecting or not known:
            return ""
        if known == str(self.line.target):
            return "Something in the test has put the real loader back in place of its mock."
        return f"'{known}' is a name of its own for the loader, taken when the mock was not in place."

    def _hint(self) -> str:
        mark = "mark the test with @pytest.mark.use_real_models"
        if self.is_collecting:
            return "load it in a fixture, with model_cache for a real one."
        known, target = self.call.known_as, self.line.target
        spelt = f"{target.module}.{'.'.join(target.names)}"
        if known and known != str(target) and Path(self.call.lines[0].file) != self.file:
            return f"add '{known} = {self.line.replacement}' to diag_mocks, or call {spelt} there, or {mark}."
        return f"call {spelt} through its module, or {mark}."

    def _through(self) -> Line | None:
        """Which line of the test's own file led there, or else which outermost one below the root?"""
        ours = [line for line in self.call.lines if Path(line.file) == self.file]
        if ours:
            return ours[0]
        below = [line for line in self.call.lines if self._is_users(line)]
        return below[-1] if below else None

    def _is_users(self, line: Line) -> bool:
        path = Path(line.file)
        if any(word in path.as_posix() for word in _PYTEST) or not path.is_relative_to(self.root):
            return False
        return "site-packages" not in path.parts and Path(__file__).parent not in path.parents

    def _shown(self, line: Line) -> str:
        path = Path(line.file)
        shown = path.relative_to(self.root).as_posix() if path.is_relative_to(self.root) else path.as_posix()
        return f"{shown}:{line.line} (in {line.function})"
