"""One change to a command at a time, without editing anything: what an experiment can take away or put in."""

from __future__ import annotations

import ast
import dataclasses
import os
import shlex
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from diagtools.capture.interpreter import interpreter_of
from diagtools.capture.overlay import overlay
from diagtools.capture.revision import at_revision
from diagtools.errors import UsageError
from diagtools.investigations.experiment import Variant
from diagtools.investigations.import_without import check_packages
from diagtools.redact import redact_path, redact_text
from diagtools.values import Changes, Patch, Target

_MOST_CODE = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A way to change a command: ``name`` is short, ``meaning`` says what it would mean if the change lowers memory.

    ``apply`` gives the changed target; it raises ``UsageError`` or ``UnavailableError`` where that cannot be done.
    """

    name: str
    apply: Callable[[Target], Target]
    meaning: str = ""

    def variant(self, target: Target) -> Variant:
        """The command with this change, as an experiment runs it."""
        return Variant(name=self.name, change=self.name, target=self.apply(target), meaning=self.meaning)


def together(changes: Sequence[Change]) -> Change:
    """All of these changes at once.  Raises ``UsageError`` for fewer than two."""
    if len(changes) < 2:
        raise UsageError("Fewer than two changes are no combination.", hint="name two or more.")

    def apply(target: Target) -> Target:
        for change in changes:
            target = change.apply(target)
        return target

    name = " + ".join(change.name for change in changes)
    return Change(name=name, apply=apply, meaning="what all of them change together costs memory")


def env(*assignments: str, name: str = "", meaning: str = "") -> Change:
    """Environment variables: ``env("MALLOC_ARENA_MAX=1")``; an empty value empties it."""
    added = {}
    for text in assignments:
        key, sign, value = text.partition("=")
        if not key or not sign:
            raise UsageError(f"{text!r} is no environment variable.", hint="write NAME=VALUE.")
        added[key] = value
    shown = " ".join(redact_text(f"{key}={value}") for key, value in added.items())
    return Change(
        name=name or shown,
        apply=lambda target: dataclasses.replace(target, env={**target.env, **added}),
        meaning=meaning or f"{', '.join(added)} as it is costs memory",
    )


def arguments(text: str) -> Change:
    """More words at the end of the command: ``arguments("--batch 32")``."""
    words = tuple(shlex.split(text))
    if not words:
        raise UsageError("There are no arguments to add.", hint="--args='--batch 32'")
    return Change(
        name=redact_text(text),
        apply=lambda target: dataclasses.replace(target, argv=(*target.argv, *words)),
        meaning="the command without these arguments takes more",
    )


def instead(command: str) -> Change:
    """Another command: ``instead("python app.py --batch 32")``."""
    words = tuple(shlex.split(command))
    return Change(
        name=redact_text(command),
        apply=lambda target: dataclasses.replace(target, argv=words or target.argv),
        meaning="the other command takes less",
    )


def without(*packages: str) -> Change:
    """These packages are not installed.  Raises ``UsageError`` for what is no package, or part of Python."""
    check_packages(packages)
    return Change(
        name=f"without {', '.join(packages)}",
        apply=lambda target: _changed(
            target, lambda old: dataclasses.replace(old, without=(*old.without, *packages))
        ),
        meaning=f"having {', '.join(packages)} installed costs memory",
    )


def lazily(*places: str) -> Change:
    """These import statements (``FILE:LINE``) wait for the first use of what they bind."""
    absolute = tuple(os.path.abspath(place) for place in places)  # noqa: PTH100 - a link is kept as it is
    shown = ", ".join("/".join(redact_path(place).split("/")[-2:]) for place in absolute)
    return Change(
        name=f"lazy {shown}",
        apply=lambda target: _changed(
            target, lambda old: dataclasses.replace(old, lazy=(*old.lazy, *absolute))
        ),
        meaning=f"the import at {shown} could wait",
    )


def patch(code: str, *, name: str, when: str | None = None, meaning: str = "") -> Change:
    """This code runs at the start of every Python process, or once ``when`` is imported (see ``probes.snippets``).

    Raises ``UsageError`` where it is no Python.
    """
    try:
        compile(code, name, "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        raise UsageError(
            f"The patch {name!r} is no Python: {error}.", hint="python -m py_compile FILE says more."
        ) from error
    made = Patch(name=name, code=code, when=when)
    if all(isinstance(one, ast.Pass | ast.Expr) and not _is_call(one) for one in ast.parse(code).body):
        raise UsageError(f"The patch {name!r} does nothing.", hint="replace('package.module:function', new)")
    return Change(
        name=name,
        apply=lambda target: _changed(
            target, lambda old: dataclasses.replace(old, patches=(*old.patches, made))
        ),
        meaning=meaning or f"what {name} changes costs memory",
    )


def _is_call(statement: ast.stmt) -> bool:
    return any(isinstance(one, ast.Call | ast.Await) for one in ast.walk(statement))


def patch_file(text: str) -> Change:
    """The same from ``FILE`` or ``MODULE=FILE``.  Raises ``UsageError`` where it cannot be read."""
    module, sign, file = text.rpartition("=")
    path = Path(file)
    try:
        with path.open("rb") as source:
            code = source.read(_MOST_CODE).decode()
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "it is not UTF-8"
        raise UsageError(
            f"The patch '{file}' cannot be read: {why}.", hint="name a file of Python."
        ) from error
    return patch(code, name=f"{module}{sign}{path.name}", when=module if sign else None)


def versions(*requirements: str) -> Change:
    """Other versions of packages: ``versions("numpy==1.26.4")``, in a cached overlay of the command's environment."""
    for text in requirements:
        if not any(sign in text for sign in "=<>~!"):
            raise UsageError(f"{text!r} names no version.", hint=f"--with {text}==VERSION")

    def apply(target: Target) -> Target:
        old = target.changes.overlay if target.changes else None
        brought = [f"{name}=={version}" for name, version in old.brings] if old else []
        made = overlay([*brought, *requirements], python=python_of(target))
        return _changed(target, lambda changes: dataclasses.replace(changes, overlay=made))

    shown = ", ".join(requirements)
    return Change(name=f"with {shown}", apply=apply, meaning=f"{shown} takes less than what is installed")


def interpreter(python: str) -> Change:
    """Another interpreter runs the command, its script too."""

    def apply(target: Target) -> Target:
        first = target.argv[0]
        is_python = _python(target) is not None and Path(first).name.startswith("python")
        if not is_python and _python(target) is None:
            raise UsageError(
                f"'{first}' is not run by a Python.", hint="name the interpreter in the command."
            )
        rest = target.argv[1:] if is_python else (_script(first, target), *target.argv[1:])
        return dataclasses.replace(target, argv=(python, *rest))

    shown = redact_path(python)
    return Change(name=f"python {shown}", apply=apply, meaning="this interpreter takes more than that one")


def revision(rev: str) -> Change:
    """One's own code as it is at another git revision, in a work tree of its own."""
    return Change(
        name=f"revision {rev}",
        apply=lambda target: at_revision(target, rev),
        meaning=f"the code took less at {rev}",
    )


def python_of(target: Target) -> str:
    """Which interpreter runs the command?  Raises ``UsageError`` where its first word does not tell."""
    found = _python(target)
    if found is None:
        raise UsageError(
            f"'{target.argv[0]}' does not say which Python it starts.",
            hint="name the interpreter in the command: python -m PROGRAM.",
        )
    return found


def _python(target: Target) -> str | None:
    return interpreter_of(target.argv[0], {**os.environ, **target.env}, target.cwd)


def _script(word: str, target: Target) -> str:
    path = {**os.environ, **target.env}.get("PATH")
    return word if os.sep in word else shutil.which(word, path=path) or word


def _changed(target: Target, change: Callable[[Changes], Changes]) -> Target:
    return dataclasses.replace(target, changes=change(target.changes or Changes()))
