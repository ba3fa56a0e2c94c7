"""Memory cgroups of both versions, in folders made by hand, and a real one where the machine allows it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from diagtools.capture import cgroup
from diagtools.errors import UnavailableError


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Mount points of our own; ``/proc/self/cgroup`` is what a test puts into ``lines``."""
    monkeypatch.setattr(cgroup, "_V1_ROOT", tmp_path / "memory")
    monkeypatch.setattr(cgroup, "_V2_ROOTS", (tmp_path / "unified",))
    monkeypatch.setattr(cgroup, "_own_lines", lambda: (tmp_path / "lines").read_text().splitlines())
    return tmp_path


def test_version_1(machine: Path) -> None:
    (machine / "lines").write_text("9:name=systemd:/x\n4:cpu,memory:/jobs/7\n0::/\n")
    (machine / "memory" / "jobs" / "7").mkdir(parents=True)
    (machine / "memory" / "jobs" / "7" / "memory.usage_in_bytes").write_text("4096\n")

    found = cgroup.current()

    assert found is not None
    assert (found.version, found.folder) == (1, machine / "memory" / "jobs" / "7")
    assert found.usage.name == "memory.usage_in_bytes"
    assert found.events.name == "memory.oom_control"
    assert found.limit.name == "memory.limit_in_bytes"
    assert found.procs.name == "cgroup.procs"


def test_version_1_in_a_container_whose_path_is_the_hosts(machine: Path) -> None:
    (machine / "lines").write_text("4:memory:/docker/abc\n")
    (machine / "memory").mkdir()
    (machine / "memory" / "memory.usage_in_bytes").write_text("4096\n")

    found = cgroup.current()

    assert found is not None
    assert found.folder == machine / "memory"


def test_version_2(machine: Path) -> None:
    (machine / "lines").write_text("0::/user.slice/a:b\n")
    (machine / "unified" / "user.slice" / "a:b").mkdir(parents=True)
    (machine / "unified" / "user.slice" / "a:b" / "memory.current").write_text("4096\n")

    found = cgroup.current()

    assert found is not None
    assert (found.version, found.usage.name, found.events.name, found.limit.name) == (
        2,
        "memory.current",
        "memory.events",
        "memory.max",
    )


@pytest.mark.parametrize("lines", ["", "0::/\n", "4:memory:/gone\n", "0::/gone\n"])
def test_no_cgroup_that_can_be_read(machine: Path, lines: str) -> None:
    (machine / "lines").write_text(lines)

    assert cgroup.current() is None
    with pytest.raises(UnavailableError, match="No memory cgroup is visible") as raised:
        cgroup.create(1 << 30)
    assert raised.value.hint


def test_a_place_that_allows_none_is_an_error_and_stays_clean(machine: Path) -> None:
    """A plain folder has no ``memory.max`` to write to: as a cgroup whose parent keeps the controller back."""
    (machine / "lines").write_text("0::/\n")
    (machine / "unified").mkdir()
    (machine / "unified" / "memory.current").write_text("4096\n")
    (machine / "unified" / "blocked").touch()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "write_text", _refused)
        with pytest.raises(UnavailableError, match="Permission denied"):
            cgroup.create(1 << 30)
    assert sorted(path.name for path in (machine / "unified").iterdir()) == ["blocked", "memory.current"]


def _refused(*_: object) -> None:
    raise PermissionError(13, "Permission denied")


def test_a_real_one() -> None:
    try:
        group = cgroup.create(64 << 20)
    except UnavailableError as error:
        pytest.skip(error.message)
    try:
        assert int(group.limit.read_text()) == 64 << 20
        assert os.access(group.usage, os.R_OK)
        assert "oom_kill" in group.events.read_text()
    finally:
        cgroup.remove(group)
    assert not group.folder.exists()
    cgroup.remove(group)
