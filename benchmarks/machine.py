"""On what was it measured?  No host names, no paths."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from benchmarks.processes import ROOT

_FOLDERS = re.compile(r"(?<![\w./])/(?:[^\s/'\"]+/)+")
_MEASURED = ("diagtools", "workloads", "benchmarks", ":(exclude)benchmarks/results")
_DISTRIBUTIONS = ("polars", "psutil", "memory-profiler", "psrecord", "memray", "onnxruntime")


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """How busy was the machine, and how much of it did the hypervisor keep (shares of all CPUs since boot)?"""

    load_1min: float
    busy_ticks: int
    stolen_ticks: int
    all_ticks: int


def facts() -> dict[str, str | int]:
    """Which machine is it?"""
    return {
        "processor": _line("/proc/cpuinfo", "model name") or platform.machine(),
        "cpus": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "virtual": int("hypervisor" in _line("/proc/cpuinfo", "flags").split()),
        "system": f"{platform.system()} {'.'.join(platform.release().split('.')[:2])}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
    }


def versions() -> dict[str, str]:
    """Which releases were compared?"""
    from diagtools import __version__

    return {"diagtools": __version__, **{name: _version(name) for name in _DISTRIBUTIONS}}


def revision() -> str:
    """Which commit of this checkout, and was anything changed since?"""
    commit = _git("rev-parse", "--short=12", "HEAD")
    if not commit:
        return "unknown"
    return commit + (" with changes" if _git("status", "--porcelain", "--", *_MEASURED) else "")


def load() -> Load:
    """How busy is the machine up to now?  Two of these tell what was between them."""
    fields = [int(field) for field in _line("/proc/stat", "cpu ", separator=" ").split()[:8]]
    idle = fields[3] + fields[4] if fields else 0
    return Load(
        load_1min=os.getloadavg()[0],
        busy_ticks=sum(fields) - idle,
        stolen_ticks=fields[7] if fields else 0,
        all_ticks=sum(fields),
    )


def between(before: Load, after: Load) -> dict[str, float]:
    """How busy was the machine meanwhile, our own work included?"""
    ticks = max(1, after.all_ticks - before.all_ticks)
    return {
        "load_1min_before": round(before.load_1min, 2),
        "busy_share": round((after.busy_ticks - before.busy_ticks) / ticks, 3),
        "stolen_share": round((after.stolen_ticks - before.stolen_ticks) / ticks, 4),
    }


def without_paths(text: str) -> str:
    """The same with the folders of this machine left out; names of files stay."""
    return _FOLDERS.sub("…/", text)


def _line(path: str, key: str, separator: str = ":") -> str:
    try:
        lines = Path(path).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    found = next((line for line in lines if line.startswith(key)), "")
    return found.partition(separator)[2].strip()


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not installed"


def _git(*arguments: str) -> str:
    try:
        answer = subprocess.run(
            ["git", *arguments],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError:
        return ""
    return answer.stdout.strip() if answer.returncode == 0 else ""
