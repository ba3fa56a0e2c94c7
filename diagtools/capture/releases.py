"""Which releases does a package have, that fit this interpreter?"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable

from packaging.version import InvalidVersion, Version

from diagtools.capture.indexes import for_pip
from diagtools.capture.installer import HINT, pip_words, said, uv_program
from diagtools.capture.refusals import Reason, refusal
from diagtools.errors import UnavailableError, UsageError

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
#: Asked for what does not exist, pip names all it found.  `pip index versions` leaves out what was yanked, and that is
#: what is looked for: a release is often yanked *because* it leaks.
_NEVER = "9999!0"
_LISTED = re.compile(r"\(from versions: ([^)]*)\)|Ignored the following yanked versions: (.*)")


def releases(package: str, *, python: str) -> list[str]:
    """The releases in order (PEP 440), those that were yanked too, without pre-releases.

    What fits the interpreter, by the Python it needs and by its wheels or source, from wherever pip looks; settings
    that were made for uv hold where none were made for pip.  Empty for a package that is not there.  Raises
    ``UnavailableError`` where no index can be reached or there is no pip, ``UsageError`` for what is no name.
    """
    if not _NAME.fullmatch(package):
        hint = "name it as it is installed: scikit-learn, not sklearn."
        raise UsageError(f"{package!r} is no name of a package.", hint=hint)
    options = ["download", "--no-deps", "--no-input", "--disable-pip-version-check", "--dest", os.devnull]
    told = said([*_pip(python), *options, "--", f"{package}=={_NEVER}"], for_pip(os.environ)).stdout
    listed = [one.strip() for groups in _LISTED.findall(told) for text in groups for one in text.split(",")]
    found = in_order(one for one in listed if one and one != "none")
    refused = refusal(told)
    if refused.reason is Reason.UNREACHABLE or (not found and refused.reason is not Reason.UNKNOWN):
        # Also where another index answered: a search in half of the releases would name a wrong one.
        raise UnavailableError(
            f"The releases of {package} cannot be listed: {refused.evidence}",
            hint="`pip config list` says where pip looks; see whether that can be reached.",
        )
    return [one for one in found if not Version(one).is_prerelease]


def in_order(versions: Iterable[str]) -> list[str]:
    """These versions from the oldest to the newest, each once; what is none (PEP 440) is left out."""
    known: dict[Version, str] = {}
    for text in versions:
        try:
            known.setdefault(Version(text), text)
        except InvalidVersion:
            continue
    return [known[version] for version in sorted(known)]


def _pip(python: str) -> tuple[str, ...]:
    """pip, also where an environment that uv made has none."""
    uv = uv_program()
    words = pip_words(python) or ((uv, "tool", "run", "--python", python, "pip") if uv else None)
    if words is None:
        raise UnavailableError("Without pip the releases of a package cannot be listed.", hint=HINT)
    return words
