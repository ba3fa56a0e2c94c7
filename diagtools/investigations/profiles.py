"""Opens a capture, an export or a run, and writes one for other tools."""

from __future__ import annotations

from pathlib import Path

from diagtools.errors import NotARunError, UsageError
from diagtools.present.profile_exports import folded_text, speedscope_json
from diagtools.profile import Profile, Unit, View
from diagtools.read.manifest import NAME as MANIFEST
from diagtools.read.profiles.opening import read_profile
from diagtools.read.profiles.stored import write_profile
from diagtools.run import Run

#: What holds allocations, or the path of it.
Source = Run | Profile | Path | str


def open_profile(
    source: Source, *, view: View | str | None = None, over_time: bool = False, unit: Unit | str | None = None
) -> Profile:
    """What does this run, capture or flamegraph export say about where memory (or time) went?

    ``source`` is a run or its folder, or a file: a memray capture, memray's flamegraph or table HTML or csv, speedscope
    JSON, folded stacks (py-spy, austin, Fil), cProfile's statistics, a tracemalloc log of ours, or a profile kept as
    Parquet.  ``view`` is ``peak`` (the default), ``leaked`` or ``temporary`` where a capture holds them; ``over_time``
    adds when each allocation lived; ``unit`` (``bytes``, ``ns``, ``samples``) says what folded stacks count where the
    file does not.  Raises ``UsageError``, ``DamagedError``, ``NoDataError``, ``UnavailableError``.
    """
    wanted = None if view is None else _view(view)
    if isinstance(source, Profile):
        return source
    if isinstance(source, Run):
        return source.profile(wanted, over_time=over_time)
    path = Path(source)
    if path.is_dir():
        if not (path / MANIFEST).exists():
            raise NotARunError(f"'{path}' is a folder, and no run.", hint="name a run, or a file in it.")
        return Run.open(path).profile(wanted, over_time=over_time)
    return read_profile(path, view=wanted, over_time=over_time, unit=None if unit is None else _unit(unit))


def _unit(name: Unit | str) -> Unit:
    if name not in set(Unit):
        raise UsageError(f"There is no unit {str(name)!r}.", hint=f"one of: {', '.join(Unit)}.")
    return Unit(name)


def export_profile(profile: Profile, target: Path) -> None:
    """Writes a profile for other tools, by the name's end: ``.folded``, ``.speedscope.json`` or ``.parquet`` (ours).

    Raises ``UsageError`` for any other end, and where the file cannot be written.
    """
    try:
        if target.suffix == ".folded":
            target.write_text(folded_text(profile), encoding="utf-8")
        elif target.suffixes[-2:] == [".speedscope", ".json"]:
            target.write_text(speedscope_json(profile), encoding="utf-8")
        elif target.suffix == ".parquet":
            write_profile(profile, target)
        else:
            raise UsageError(
                f"'{target.name}' does not say which kind of file it is to be.",
                hint="end its name with .folded, .speedscope.json or .parquet.",
            )
    except OSError as error:
        raise UsageError(
            f"'{target}' cannot be written: {error.strerror}.", hint="name a file in a folder that takes one."
        ) from error


def _view(name: View | str) -> View:
    if name not in set(View):
        raise UsageError(f"There is no view {str(name)!r}.", hint=f"one of: {', '.join(View)}.")
    return View(name)
