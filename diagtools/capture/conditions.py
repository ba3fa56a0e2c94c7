"""In what state is the machine right now?  What differs between two runs besides what was changed."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

_FREQUENCIES = "/sys/devices/system/cpu"
_CPUINFO, _MEMINFO = Path("/proc/cpuinfo"), Path("/proc/meminfo")


def conditions() -> dict[str, float]:
    """Load (1 minute), mean CPU frequency and page cache, by the name of a metric; what is unknown is not there."""
    found: dict[str, float | None] = {
        "condition_load": _load(),
        "condition_cpu_mhz": _cpu_mhz(),
        "condition_page_cache_bytes": _page_cache_bytes(),
    }
    return {name: value for name, value in found.items() if value is not None}


def _load() -> float | None:
    with contextlib.suppress(OSError):
        return os.getloadavg()[0]
    return None


def _cpu_mhz() -> float | None:
    with contextlib.suppress(OSError, ValueError):
        scaled = [
            int(path.read_text()) / 1000
            for path in Path(_FREQUENCIES).glob("cpu[0-9]*/cpufreq/scaling_cur_freq")
        ]
        if scaled:
            return sum(scaled) / len(scaled)
        lines = _CPUINFO.read_text().splitlines()
        told = [float(line.partition(":")[2]) for line in lines if line.startswith("cpu MHz")]
        return sum(told) / len(told) if told else None
    return None


def _page_cache_bytes() -> float | None:
    with contextlib.suppress(OSError, ValueError, IndexError):
        for line in _MEMINFO.read_text().splitlines():
            if line.startswith("Cached:"):
                return int(line.split()[1]) * 1024.0
    return None
