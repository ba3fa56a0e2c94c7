"""The ways in which a test suite can get its models: what each adds to the command that runs the tests."""

from __future__ import annotations

import re
import shlex
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from diagtools.errors import UsageError
from diagtools.values import Target

#: The suite under study: as it was, then what the mends make of it.
OWN_WAYS = (
    "per test: --diag-models=real --models-per=test; cached: --diag-models=real; "
    "on demand: --diag-models=auto; mocked: --diag-models=mock"
)
#: Of any other suite: what the plugin's option makes of it.
PLUGIN_WAYS = "real: --diag-models=real; on demand: --diag-models=auto; mocked: --diag-models=mock"
_SETTING = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=")
_HINT = "name two ways and more: 'as it is: ; mocked: --diag-models=mock; cached: CACHE=1'."


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way: its name, the words that it adds to the command, and its variables of the environment."""

    name: str
    words: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)

    @property
    def change(self) -> str:
        """What is added, as one would type it."""
        settings = (f"{name}={shlex.quote(value)}" for name, value in self.env.items())
        return " ".join([*settings, *map(shlex.quote, self.words)]) or "nothing added"


def read_ways(text: str) -> tuple[Way, ...]:
    """Which ways does ``"per test: CACHE=0; mocked: CACHE=1 --diag-models=mock"`` name?  The first is how it was.

    Words that begin with ``NAME=`` before any other set variables.  Raises ``UsageError`` for fewer than two ways,
    a name twice and quotes without an end.
    """
    ways = tuple(_way(part) for part in text.split(";") if part.strip())
    names = [way.name for way in ways]
    if len(ways) < 2:
        raise UsageError(
            f"{text!r} names {len(ways)} way of running the suite: nothing to compare.", hint=_HINT
        )
    if len(set(names)) < len(names):
        raise UsageError(
            f"Two ways have the same name: {', '.join(names)}.", hint="each needs a name of its own."
        )
    return ways


def _way(text: str) -> Way:
    name, colon, added = text.partition(":")
    if not colon or not name.strip():
        raise UsageError(f"The way {text.strip()!r} has no name.", hint=_HINT)
    try:
        words = shlex.split(added)
    except ValueError as error:
        raise UsageError(f"The way {text.strip()!r} is no command line: {error}.", hint=_HINT) from error
    n_settings = next((at for at, word in enumerate(words) if not _SETTING.match(word)), len(words))
    settings = (word.partition("=") for word in words[:n_settings])
    return Way(
        name=name.strip(), words=tuple(words[n_settings:]), env={key: value for key, _, value in settings}
    )


def suite_command(suite: str) -> tuple[str, ...]:
    """Which command runs this suite: a folder or file of tests, or a command line as it stands?

    Tests are run by pytest under the interpreter of this process, each of them measured (``--diag``).  Raises
    ``UsageError`` where there is neither such a path nor such a program.
    """
    path = Path(suite).expanduser()
    if path.exists():
        return (sys.executable, "-m", "pytest", "--diag", "-q", str(path.resolve()))
    words = _words(suite)
    if not words or shutil.which(words[0]) is None:
        raise UsageError(
            f"There is no suite {suite!r}: no such folder, and no such program.",
            hint="name a folder of tests, or a command: 'python -m pytest --diag tests'.",
        )
    return tuple(words)


def _words(suite: str) -> list[str]:
    try:
        return shlex.split(suite)
    except ValueError as error:
        raise UsageError(f"{suite!r} is no command line: {error}.", hint="close its quotes.") from error


def target_of(command: tuple[str, ...], way: Way) -> Target:
    """What runs the suite this way?"""
    return Target(argv=(*command, *way.words), env=way.env)
