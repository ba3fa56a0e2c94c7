"""What does a line of ``diag_mocks`` say?"""

from __future__ import annotations

from dataclasses import dataclass

from diagtools.errors import UsageError
from diagtools.pytest_plugin.models.mocks_resolve import ObjectPath


@dataclass(frozen=True, slots=True, kw_only=True)
class MockLine:
    """Which loader is replaced by what?"""

    target: ObjectPath
    replacement: ObjectPath

    def __str__(self) -> str:
        return f"{self.target} = {self.replacement}"


def read_line(line: str) -> MockLine:
    """Which loader and which replacement does ``pkg.mod:Loader.load = tests.fakes:fake_load`` name?

    Raises ``UsageError`` for anything else, and where both are the same.
    """
    left, separator, right = (part.strip() for part in line.partition("="))
    if not separator or not left or not right:
        raise UsageError(
            f"diag_mocks: {line!r} does not name a loader and what replaces it.",
            hint="write 'app.models:Loader.load = tests.fakes:fake_load'.",
        )
    target, replacement = (ObjectPath.read(text, where="diag_mocks") for text in (left, right))
    if target == replacement:
        raise UsageError(f"diag_mocks: {target} would replace itself.", hint="name a fake on the right side.")
    return MockLine(target=target, replacement=replacement)
