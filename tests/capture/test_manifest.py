"""``run.json``: what is known, whole or not at all, without a secret."""

from __future__ import annotations

import hashlib
import json
import resource
import subprocess
from pathlib import Path

import pytest

from diagtools.capture import manifest as manifests
from diagtools.values import Enforcer, ItemSource, Limit, State, Target, Tool, Tracking, Validity


def begun(folder: Path, target: Target | None = None, pid: int | None = None) -> dict[str, object]:
    """A manifest of a run that begins, written and read back."""
    manifests.write(manifests.begun(folder, target, pid=pid, hz=100, backend="linux"), folder)
    text = (folder / "run.json").read_bytes()
    found: dict[str, object] = json.loads(text.decode("ascii"))
    return found


def test_what_is_known_before_the_target_runs(tmp_path: Path) -> None:
    limit = Limit(memory_bytes=2**31, enforcer=Enforcer.CGROUP)
    target = Target(argv=("python", "app.py"), cwd=tmp_path, limit=limit, items=ItemSource(calls="app:work"))

    found = begun(tmp_path, target)

    assert found["format"] == 1
    assert found["state"] == "recording"
    assert found["name"] == tmp_path.name
    assert found["argv"] == ["python", "app.py"]
    assert found["cwd"] == f"…/{tmp_path.parent.name}/{tmp_path.name}"
    assert found["limit"] == {"memory_bytes": 2**31, "enforcer": "cgroup"}
    assert found["items"] == {"calls": "app:work"}
    assert found["exit_status"] is None
    assert not list(tmp_path.glob("*.tmp"))


def test_how_allocations_are_tracked(tmp_path: Path) -> None:
    tracking = Tracking(tool=Tool.TRACEMALLOC, snapshot_every_s=5)
    assert begun(tmp_path, Target(argv=("true",), tracking=tracking))["tracking"] == {
        "tool": "tracemalloc",
        "n_frames": "10",
        "every_s": "5",
    }
    assert begun(tmp_path, Target(argv=("true",)))["tracking"] == {}


def test_nobody_else_can_read_it(tmp_path: Path) -> None:
    begun(tmp_path)
    assert (tmp_path / "run.json").stat().st_mode & 0o777 == 0o600


def test_no_folder_outside_homes_is_named_whole(tmp_path: Path) -> None:
    target = Target(
        argv=("true",),
        cwd=Path("/srv/acme/secret-plan/app"),
        env={"PYTHONPATH": "/srv/acme/secret-plan/lib:/opt/x"},
        items=ItemSource(opened_under="/srv/acme/secret-plan/data", calls="app:work"),
    )

    found = begun(tmp_path, target)

    assert found["cwd"] == "…/secret-plan/app"
    assert found["items"] == {"calls": "app:work", "opened_under": "…/secret-plan/data"}
    assert found["env"]["PYTHONPATH"] == "…/secret-plan/lib:/opt/x"  # type: ignore[index]  # it is an object


def test_a_run_that_is_attached_names_the_process(tmp_path: Path) -> None:
    found = begun(tmp_path, pid=77)

    assert (found["argv"], found["cwd"], found["limit"]) == (["attached", "77"], "", None)


def test_no_secret_and_no_home_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    monkeypatch.setenv("FOO_TOKEN", "hunter1")
    argv = ("/home/ada/bin/tool", "--password", "hunter2", "--token=hunter3", "https://ada:hunter4@host/x")
    target = Target(
        argv=argv, env={"DB_PASSWORD": "hunter5", "OMP_NUM_THREADS": "4"}, cwd=Path("/home/ada/work")
    )

    begun(tmp_path, target)

    text = (tmp_path / "run.json").read_text()
    assert "hunter" not in text
    assert "ada" not in text
    assert json.loads(text)["env"]["OMP_NUM_THREADS"] == "4"


def test_names_that_are_no_text_are_readable_json(tmp_path: Path) -> None:
    found = begun(tmp_path, Target(argv=("a\udcff", "ü\n\x00\ud800", "日本")))

    assert found["argv"] == ["a\\udcff", "ü\n\x00\\ud800", "日本"]


def test_what_a_closed_run_holds(tmp_path: Path) -> None:
    (tmp_path / "stdout.log").write_bytes(b"words")
    (tmp_path / "odd\udcff").write_bytes(b"")
    (tmp_path / "link").symlink_to("stdout.log")
    (tmp_path / "folder").mkdir()
    manifest = manifests.begun(tmp_path, Target(argv=("true",)), pid=None, hz=100, backend="linux")
    doubt = Validity(what="timeline", state=State.TRUNCATED, note="cut")

    manifests.write(
        manifests.closed(manifest, tmp_path, exit_status=3, duration_s=1.5, validity=(doubt,)), tmp_path
    )

    found = json.loads((tmp_path / "run.json").read_text())
    assert found["state"] == "finished"
    assert (found["exit_status"], found["duration_s"]) == (3, 1.5)
    assert found["artefacts"] == {
        "stdout.log": {"size_bytes": 5, "sha256": hashlib.sha256(b"words").hexdigest()},
        "odd\\udcff": {"size_bytes": 0, "sha256": hashlib.sha256(b"").hexdigest()},
    }
    assert found["validity"] == [{"what": "timeline", "state": "truncated", "note": "cut"}]
    assert "psutil" in found["recorder"]


def test_without_room_the_old_one_stays_whole(tmp_path: Path) -> None:
    before = begun(tmp_path, Target(argv=("true",)))
    long = manifests.begun(tmp_path, Target(argv=("x" * 9999,)), pid=None, hz=100, backend="linux")
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, old[1]))
    try:
        with pytest.raises(OSError, match="too large"):
            manifests.write(long, tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)

    assert json.loads((tmp_path / "run.json").read_text()) == before
    assert not list(tmp_path.glob("*.tmp"))


def test_the_revision_is_that_of_the_targets_folder(tmp_path: Path) -> None:
    git = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@example.org"]
    if subprocess.run([*git, "init", "-q"], capture_output=True).returncode != 0:
        pytest.skip("git is missing")
    assert manifests.git_revision(tmp_path) == {}
    (tmp_path / "file").write_text("one")
    subprocess.run([*git, "add", "file"], check=True)
    subprocess.run([*git, "commit", "-qm", "one"], check=True)
    revision = manifests.git_revision(tmp_path)["revision"]
    (tmp_path / "file").write_text("two")

    assert len(revision) == 12
    assert manifests.git_revision(tmp_path) == {"revision": f"{revision}-dirty"}
    assert manifests.git_revision(tmp_path / "nothing") == {}


def test_without_git_there_is_no_revision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    assert manifests.git_revision(None) == {}
