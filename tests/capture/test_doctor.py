"""What this machine allows: every answer has a reason, and none raises."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from diagtools.capture import cgroup, doctor
from diagtools.errors import UnavailableError
from diagtools.probes import procfs


def answers() -> dict[str, doctor.Capability]:
    return {capability.name: capability for capability in doctor.capabilities()}


def test_every_answer_has_a_reason() -> None:
    found = answers()

    assert set(found) >= {
        "sampler",
        "smaps",
        "subreaper",
        "ptrace",
        "cgroup",
        "psi",
        "kernel_log",
        "memray",
        "browser",
        "overlays",
    }
    assert all(capability.why for capability in found.values())


@pytest.mark.skipif(sys.platform != "linux", reason="what a Linux has")
def test_what_a_linux_has() -> None:
    found = answers()

    assert found["sampler"].available
    assert found["subreaper"].available
    assert found["smaps"].available == procfs.knows_pss()


def test_what_is_missing_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refused(_: int) -> cgroup.MemoryCgroup:
        raise UnavailableError("Not here.")

    monkeypatch.setattr(cgroup, "create", refused)
    monkeypatch.setattr(procfs, "psi_some_percent", lambda: None)
    monkeypatch.setattr(procfs, "pss_bytes", lambda _: None)
    monkeypatch.setenv("PATH", str(tmp_path))

    found = answers()

    assert {name for name in ("cgroup", "psi", "smaps", "browser") if not found[name].available} == {
        "cgroup",
        "psi",
        "smaps",
        "browser",
    }
    assert found["cgroup"].why == "Not here."


def test_looking_leaves_nothing_behind() -> None:
    group = cgroup.current()
    before = list(group.folder.glob("diagtools-*")) if group else []
    doctor.capabilities()

    assert (list(group.folder.glob("diagtools-*")) if group else []) == before
