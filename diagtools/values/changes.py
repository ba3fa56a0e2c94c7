"""How the world of a command can differ from what it is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from diagtools.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class Patch:
    """Code that is run in every Python process of a command: at its start, or once ``when`` has been imported.

    ``name`` stands in tracebacks and results, ``when`` is the full name of a module.  What the code can call is in
    ``probes.snippets``.
    """

    name: str
    code: str
    when: str | None = None

    def __post_init__(self) -> None:
        if self.when is not None and not all(part.isidentifier() for part in self.when.split(".")):
            raise UsageError(
                f"{self.when!r} is no module.", hint="write MODULE=FILE, for instance app.index=fix.py"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlay:
    """A folder of packages that stands before all others on the path of every Python process of a command.

    ``brings`` are the distributions in it and their versions, such as ``("numpy", "1.26.4")``: the first ``n_asked`` of
    them were asked for, the others differ because these need them.  ``modules`` are the top-level modules that it
    holds, those of what was asked for first.
    """

    folder: Path
    brings: tuple[tuple[str, str], ...]
    modules: tuple[str, ...]
    n_asked: int = 1

    @property
    def also(self) -> tuple[tuple[str, str], ...]:
        """What else differs, because what was asked for needs it."""
        return self.brings[self.n_asked :]

    def __str__(self) -> str:
        asked = ", ".join(f"{name} {version}" for name, version in self.brings[: self.n_asked])
        also = ", ".join(f"{name} {version}" for name, version in self.also)
        return f"{asked}, which brings {also}" if also else asked


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """How the world of a command differs, without a line of it edited: what an experiment takes away or puts in.

    ``without``: packages that are not installed; ``lazy``: import statements that wait for the first use of their
    names, as ``FILE:LINE``; ``patches`` are code of one's own; ``overlay`` holds other versions of packages.
    What makes the changes takes some memory itself, also where there are none; ``eager`` are statements that stay as
    they are, and take the way of those that are lazy.
    """

    without: tuple[str, ...] = ()
    lazy: tuple[str, ...] = ()
    eager: tuple[str, ...] = ()
    patches: tuple[Patch, ...] = ()
    overlay: Overlay | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """Did a change come to anything in the processes of a run?  Where not, ``why`` says what was missing."""

    change: str
    is_applied: bool
    why: str = ""
