"""Puts the changes of an experiment where the processes of a command find them."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from diagtools.capture.installed import blocked
from diagtools.capture.interpreter import interpreter_of
from diagtools.capture.laziness import Cut, compile_cuts
from diagtools.errors import UsageError
from diagtools.probes import laziness as probe
from diagtools.probes import snippets
from diagtools.values import Changes, Patch, Target

_LONGEST = 200


def prepared(changes: Changes, target: Target, folder: Path) -> dict[str, str]:
    """What is ``probes.boot.environment`` to be asked for?  Snippets are kept in the run folder.

    Raises ``UsageError`` for an import statement that cannot be lazy where it stands.
    """
    _write_patches(changes.patches, folder)
    asked = {"snippets": str(folder.resolve())}
    if changes.without:
        asked["without"] = blocked(changes.without, _python(target))
    if changes.lazy or changes.eager:
        asked["lazy"] = _compiled(changes, _python(target), folder)
    if changes.overlay:
        asked["overlay"] = f"{','.join(changes.overlay.modules)}:{changes.overlay.folder}"
    return asked


def _python(target: Target) -> str:
    env = {**os.environ, **target.env}
    return interpreter_of(target.argv[0], env, target.cwd) or sys.executable


def _write_patches(patches: tuple[Patch, ...], folder: Path) -> None:
    rows = []
    for number, patch in enumerate(patches):
        (folder / (snippets.CODE % number)).write_text(patch.code, encoding="utf-8")
        name = " ".join(patch.name.split())[:_LONGEST]
        rows.append(f"{number}\t{patch.when or ''}\t{name}\n")
    (folder / snippets.LIST).write_text("".join(rows), encoding="utf-8")


def _compiled(changes: Changes, python: str, folder: Path) -> str:
    """Compile the files, with these statements lazy or as they are; the word for ``probes.laziness.watch``."""
    noted = (folder / probe.NOTED).resolve()
    noted.mkdir(parents=True, mode=0o700)
    cuts = [_cut(place) for place in changes.lazy or changes.eager]
    refused = compile_cuts(cuts, folder / probe.COMPILED, python, even_in_try=True)
    if refused and changes.lazy:
        raise UsageError(f"An import cannot be lazy there: {refused[0]}.", hint="name another statement.")
    return f"{probe.LAZY if changes.lazy else probe.EAGER}:{noted}"


def _cut(place: str) -> Cut:
    file, _, line = place.rpartition(":")
    if not file or not line.isdecimal():
        raise UsageError(
            f"'{place}' is no import statement.",
            hint="write FILE:LINE, as `diagtools imports --verify 3` names it.",
        )
    return Cut(file=file, line=int(line))
