"""What is said of models in the terminal: which are mocked, which were loaded at what cost, which are missing?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass

from diagtools.pytest_plugin.models.options import REAL_MARK, ModelMode, ModelSettings
from diagtools.pytest_plugin.models.store import MissingModel, ModelCache, ModelLoad
from diagtools.units import format_bytes, format_seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What one process that ran tests has to tell."""

    loads: tuple[ModelLoad, ...]
    missing: tuple[MissingModel, ...]

    @classmethod
    def of(cls, cache: ModelCache) -> Told:
        """What became of the models of this process?"""
        return cls(loads=tuple(cache.loads), missing=cache.missing)

    def as_json(self) -> str:
        """For the way from an xdist worker to its controller."""
        import json

        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Told:
        """What a worker has told."""
        import json

        read = json.loads(text)
        loads = (ModelLoad(**{**row, "held_by": tuple(row["held_by"])}) for row in read["loads"])
        return cls(loads=tuple(loads), missing=tuple(MissingModel(**row) for row in read["missing"]))


def header(settings: ModelSettings) -> str | None:
    """Which loaders get mocked where?  Null where none is declared."""
    n_loaders = len(settings.mocks)
    if not n_loaders:
        return None
    loaders = f"{n_loaders} loader{'s' if n_loaders > 1 else ''}"
    match settings.mode:
        case ModelMode.AUTO:
            what = f"{loaders} mocked in every test that is not marked {REAL_MARK}"
        case ModelMode.MOCK:
            what = f"{loaders} mocked in every test, those marked {REAL_MARK} are skipped"
        case _:
            what = "nothing is mocked, recorded models are recorded anew"
    return f"models: {settings.mode.value}, {what}"


def summary(told: Iterable[Told]) -> list[str]:
    """The lines at the end of a session; none where no model was asked for."""
    lines: list[str] = []
    missing: dict[str, str] = {}
    for one in told:
        lines += [line for load in one.loads for line in _load_lines(load)]
        missing |= {model.model: model.reason for model in one.missing}
    return lines + [
        f"{model} is missing, its tests were skipped: {reason}" for model, reason in missing.items()
    ]


def _load_lines(load: ModelLoad) -> Iterable[str]:
    version = f" {load.version}" if load.version else ""
    peak = "peak" if load.is_exact else "peak at least"
    freed = "not freed" if load.freed_bytes is None else f"once freed {format_bytes(load.freed_bytes)}"
    yield (
        f"{load.model}{version} for {load.node or 'the session'}: loaded in {format_seconds(load.load_s)}, "
        f"RSS {format_bytes(load.before_bytes)} → {format_bytes(load.loaded_bytes)} "
        f"({peak} {format_bytes(load.peak_bytes)}), {freed}"
    )
    for holder in load.held_by:
        yield f"  not gone, still held by {holder}"
    if not load.is_followed:
        yield "  it takes no weak reference: whether it is gone is not known"
