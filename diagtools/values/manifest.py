"""What ``run.json`` says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from diagtools.values.findings import Validity
from diagtools.values.target import Limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Artefact:
    """One file of a run folder as it was when the run was closed."""

    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What ``run.json`` says of a run; argv, paths and environment are redacted.

    ``state`` is ``recording`` until the recorder has closed the run, then ``finished``;
    ``start_ns`` is CLOCK_MONOTONIC at the zero of every frame, ``wall_ns`` the time of day then.
    """

    name: str
    state: str
    argv: tuple[str, ...]
    cwd: str
    env: Mapping[str, str]
    hz: float
    backend: str
    recorder: Mapping[str, str]
    platform: Mapping[str, str]
    git: Mapping[str, str]
    probes: Mapping[str, str]
    limit: Limit | None = None
    items: Mapping[str, str] = field(default_factory=dict)
    tracking: Mapping[str, str] = field(default_factory=dict)
    snapshots: Mapping[str, str] = field(default_factory=dict)
    changes: Mapping[str, str] = field(default_factory=dict)
    start_ns: int | None = None
    wall_ns: int | None = None
    started_at: str = ""
    duration_s: float | None = None
    exit_status: int | None = None
    kernel_log: tuple[str, ...] = ()
    artefacts: Mapping[str, Artefact] = field(default_factory=dict)
    validity: tuple[Validity, ...] = ()
    format: int = 1
