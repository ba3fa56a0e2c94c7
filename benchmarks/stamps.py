"""When did each side take its samples, by its own file?  Seconds, each side on its own clock."""

from __future__ import annotations

from pathlib import Path

from diagtools.read.timeline import read_timeline


def of_run(folder: Path) -> list[float]:
    """The ticks of a run folder; one tick samples the whole tree."""
    return [float(t) for t in read_timeline(folder).samples["t_s"].unique().sort()]


def of_mprof(path: Path) -> list[float]:
    """The ``MEM value time`` lines of mprof."""
    lines = (line.split() for line in path.read_text(encoding="utf-8").splitlines())
    return [float(fields[2]) for fields in lines if fields[:1] == ["MEM"] and len(fields) == 3]


def of_psrecord(path: Path) -> list[float]:
    """The first column of psrecord's plain log."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [float(line.split()[0]) for line in lines if line and not line.startswith("#")]
