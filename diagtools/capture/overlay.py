"""Other versions of packages, in a folder that stands first on the path of a command: nothing is installed.

A folder works for `-m`, for console scripts and for workers alike, where an environment of its own would not.
"""

from __future__ import annotations

import contextlib
import csv
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from diagtools.capture.cache import UNFINISHED, cache_folder
from diagtools.capture.environment import Environment, environment
from diagtools.capture.installer import Installer, Pins, Refused, installers
from diagtools.capture.refusals import Reason, Refusal
from diagtools.capture.releases import releases
from diagtools.errors import DiagtoolsError, UnavailableError, UsageError
from diagtools.values import Overlay

_FORMAT = 1
_NOTED, _PACKAGES = "overlay.json", "packages"
_MOST_NOTED_BYTES = 2**20
_MODULES = {".py", ".so", ".pyd"}
_N_NEAREST = 4
_HINT = "write PKG==VERSION, for instance --with numpy==1.26.4"


def overlay(requirements: Sequence[str], *, python: str) -> Overlay:
    """Which folder holds these versions of packages, for this interpreter?  Made once, then taken from the cache.

    A requirement is one of PEP 508 without a URL (``numpy==1.26.4``, ``polars<2``); a range means the release that was
    the newest when it was first asked for.  What they need stays as it is installed wherever that fits; what cannot
    stay is in ``brings`` as well, after what was asked for.  What was asked for is in the folder even where the same
    version is installed, so that two overlays of one package differ in nothing else.

    Raises ``UsageError`` for an unknown release or one for another Python, and ``UnavailableError`` where no index can
    be reached, a release cannot be built, or neither uv nor pip is here.
    """
    wanted = _parsed(requirements)
    there = environment(python)
    home = cache_folder("overlays") / _key(wanted, there)
    return _kept(home) or _made(wanted, there, home)


def _parsed(requirements: Sequence[str]) -> dict[str, Requirement]:
    """By normalised name, in order."""
    found: dict[str, Requirement] = {}
    for text in requirements:
        try:
            one = Requirement(text)
        except InvalidRequirement as error:
            raise UsageError(f"{text!r} names no version of a package.", hint=_HINT) from error
        if one.url:
            hint = "build a wheel of it, and name its folder: PIP_FIND_LINKS=DIR"
            raise UsageError(f"{text!r} is a place, not a version.", hint=hint)
        if found.setdefault(canonicalize_name(one.name), one) is not one:
            raise UsageError(f"{one.name} is asked for twice.", hint="name one version of each package.")
    if not found:
        raise UsageError("No other version is asked for.", hint=_HINT)
    return found


def _key(wanted: dict[str, Requirement], there: Environment) -> str:
    """What was asked for, of which interpreter, and what it has: that decides which dependencies stay."""
    asked = sorted(str(one) for one in wanted.values())
    known = [_FORMAT, asked, there.identity, sorted(there.installed.items())]
    return hashlib.sha256(json.dumps(known).encode()).hexdigest()[:24]


# --- made --------------------------------------------------------------------------------------------


def _made(wanted: dict[str, Requirement], there: Environment, home: Path) -> Overlay:
    """Under a temporary name first: whoever makes the same at the same time finds nothing half made."""
    folder = Path(tempfile.mkdtemp(prefix=UNFINISHED, dir=home.parent))
    try:
        pins = _installed(wanted, there, folder / _PACKAGES)
        noted = {
            "brings": list(pins.items()),
            "n_asked": len(wanted),
            "modules": _modules(folder / _PACKAGES, pins),
        }
        (folder / _NOTED).write_text(json.dumps(noted), encoding="utf-8")
        _publish(folder, home)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    made = _kept(home)
    if made is None:
        raise UnavailableError(
            f"The overlay '{home}' changed while it was made.", hint="see who else writes into the cache."
        )
    return made


def _installed(wanted: dict[str, Requirement], there: Environment, folder: Path) -> Pins:
    """The versions in the folder, those asked for first."""
    asked = [str(one) for one in wanted.values()]
    refused: Refused | None = None
    for tool in installers(there.python):
        try:
            return _with(tool, asked, wanted, there, folder)
        except Refused as error:
            shutil.rmtree(folder, ignore_errors=True)
            refused = refused or error
            if error.refusal.reason not in (Reason.UNKNOWN, Reason.UNREACHABLE):
                break  # the other tool may know another index, but it builds no better
    assert refused is not None  # there was a tool, and it did not return
    raise _error(refused.refusal, wanted, there) from refused


def _with(
    tool: Installer, asked: list[str], wanted: dict[str, Requirement], there: Environment, folder: Path
) -> Pins:
    missing = tool.wanted(asked)
    pins = {name: missing.get(name) or there.installed.get(name) or "" for name in wanted}
    if absent := [name for name, version in pins.items() if not version]:
        hint = "leave its environment marker (after the semicolon) out."
        raise UsageError(f"Nothing is to be installed for {absent[0]} {there.version}.", hint=hint)
    pins |= missing
    tool.install(pins, folder)
    return pins


def _publish(folder: Path, home: Path) -> None:
    """Gives it its name; a broken one makes room, a whole one of somebody else stays."""
    for _ in range(3):
        try:
            folder.rename(home)
            return
        except OSError:
            if _kept(home):
                return
        broken = Path(tempfile.mkdtemp(prefix=UNFINISHED, dir=home.parent))
        with contextlib.suppress(OSError):  # somebody else moved it first
            home.rename(broken)
        shutil.rmtree(broken, ignore_errors=True)


# --- kept --------------------------------------------------------------------------------------------


def _kept(home: Path) -> Overlay | None:
    """What lies there, if it is whole."""
    try:
        with (home / _NOTED).open("rb") as file:
            noted = json.loads(file.read(_MOST_NOTED_BYTES))
        brings = tuple((str(name), str(version)) for name, version in noted["brings"])
        folder = home / _PACKAGES
        if not all(_is_whole(folder, name, version) for name, version in brings):
            return None
        os.utime(home)
        return Overlay(
            folder=folder,
            brings=brings,
            modules=tuple(map(str, noted["modules"])),
            n_asked=int(noted["n_asked"]),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _is_whole(folder: Path, name: str, version: str) -> bool:
    """Is every file of this distribution as long as its list says?"""
    files = _files(folder, name, version)
    return bool(files) and all(
        (folder / path).stat().st_size == size for path, size in files if size is not None
    )


def _files(folder: Path, name: str, version: str) -> list[tuple[PurePosixPath, int | None]]:
    """The list of a distribution: its files below the folder, with their sizes where they are told."""
    record = next(
        (path / "RECORD" for path in folder.glob("*.dist-info") if _is_of(path, name, version)), None
    )
    if record is None:
        return []
    with record.open(encoding="utf-8", newline="") as file:
        rows = [(PurePosixPath(row[0]), row[2]) for row in csv.reader(file) if len(row) == 3]
    inside = [
        (path, size) for path, size in rows if not path.is_absolute() and path.parts[0] not in ("..", "bin")
    ]
    return [(path, int(size) if size.isdecimal() else None) for path, size in inside if path.suffix != ".pyc"]


def _is_of(info: Path, name: str, version: str) -> bool:
    found, _, number = info.name.removesuffix(".dist-info").rpartition("-")
    return canonicalize_name(found) == name and Version(number) == Version(version)


def _modules(folder: Path, pins: Pins) -> list[str]:
    """The modules and packages at the top, those of what was asked for first."""
    paths = [path for pin in pins.items() for path, _ in _files(folder, *pin) if path.suffix in _MODULES]
    tops = dict.fromkeys(path.parts[0].partition(".")[0] for path in paths)
    return [top for top in tops if top.isidentifier()]


# --- refused -----------------------------------------------------------------------------------------


def _error(told: Refusal, wanted: dict[str, Requirement], there: Environment) -> DiagtoolsError:
    """One clear error for what uv or pip said."""
    asked = " ".join(str(one) for one in wanted.values())
    this = f"Python {there.version}"
    if told.reason is Reason.UNREACHABLE:
        hint = "see the network, and where uv and pip look: `pip config list`, UV_DEFAULT_INDEX."
        return UnavailableError(f"No package index can be reached for {asked}: {told.evidence}", hint=hint)
    if told.reason in (Reason.NOT_BUILT, Reason.NO_WHEEL):
        hint = "name a release that has a wheel for it, or another Python."
        said = f"{asked} cannot be installed for {this}: {told.reason}. {told.evidence}"
        return UnavailableError(said, hint=hint)
    unknown = [_unknown(one, there) for one in wanted.values()] if told.reason is Reason.UNKNOWN else []
    said = f"{asked} cannot be installed for {this}: {told.evidence}"
    return next(filter(None, unknown), UsageError(said, hint="try another version."))


def _unknown(wanted: Requirement, there: Environment) -> UsageError | None:
    """Where the index has no such package, or not that release of it; null where it has, or does not tell."""
    try:
        known = releases(wanted.name, python=there.python)
    except DiagtoolsError:
        return None
    this = f"for Python {there.version}"
    if not known:
        return UsageError(f"No index has a package '{wanted.name}' {this}.", hint="see its spelling.")
    if any(wanted.specifier.contains(version, prereleases=True) for version in known):
        return None
    return UsageError(
        f"There is no release {wanted.name}{wanted.specifier} {this}.",
        hint=f"the nearest are {', '.join(_nearest(wanted, known))}.",
    )


def _nearest(wanted: Requirement, known: Sequence[str]) -> Sequence[str]:
    """The releases around the version that was asked for."""
    given = next((Version(one.version.removesuffix(".*")) for one in wanted.specifier), Version("0"))
    below = sum(Version(version) < given for version in known)
    first = max(0, min(below - _N_NEAREST // 2, len(known) - _N_NEAREST))
    return known[first : first + _N_NEAREST]
