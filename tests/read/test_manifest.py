"""run.json gives what it declares; of anything else in it nothing is believed."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given

from diagtools.errors import NotARunError
from diagtools.read.manifest import has_newer_format, read_manifest
from diagtools.values import Artefact, Enforcer, Limit, State, Validity
from tests.support.runs import START_NS, WALL_NS, Recording, flipped, make_run


def write(folder: Path, content: object) -> Path:
    folder.mkdir(exist_ok=True)
    text = content if isinstance(content, str) else json.dumps(content)
    (folder / "run.json").write_text(text, encoding="utf-8")
    return folder


def doubts(folder: Path) -> list[str]:
    return [str(validity) for validity in read_manifest(folder).validity]


def test_a_closed_run_is_read_whole(tmp_path: Path) -> None:
    changes = {
        "limit": {"memory_bytes": 2**31, "enforcer": "cgroup"},
        "validity": [{"what": "timeline", "state": "skipped", "note": "no /proc here"}],
        "kernel_log": ["oom-kill: pid 7"],
    }
    found = read_manifest(make_run(tmp_path / "run-7", stdout=b"", manifest=changes))
    assert (found.name, found.state, found.argv) == ("run-7", "finished", ("python", "index.py"))
    assert (found.hz, found.backend, found.start_ns, found.wall_ns) == (100.0, "linux", START_NS, WALL_NS)
    assert (found.exit_status, found.duration_s, found.format) == (0, 1.0, 1)
    assert found.recorder == {"diagtools": "0.1.0", "python": "3.11.7"}
    assert found.limit == Limit(memory_bytes=2**31, enforcer=Enforcer.CGROUP)
    assert found.kernel_log == ("oom-kill: pid 7",)
    assert found.validity == (Validity(what="timeline", state=State.SKIPPED, note="no /proc here"),)
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert found.artefacts["stdout.log"] == Artefact(size_bytes=0, sha256=empty)


def test_what_the_recorder_writes_comes_back(tmp_path: Path) -> None:
    from diagtools.capture import manifest as manifests
    from diagtools.values import Target

    target = Target(argv=("python", "caf\udcff.py"), limit=Limit(memory_bytes=10**9))
    written = manifests.begun(tmp_path, target, pid=None, hz=50.0, backend="linux")
    manifests.write(written, tmp_path)
    found = read_manifest(tmp_path)
    assert found.argv[0] == "python"
    "".join(found.argv).encode()  # no half of a surrogate pair, whatever stands for it
    assert {**vars_of(found), "argv": ()} == {**vars_of(written), "argv": ()}


def vars_of(manifest: Any) -> dict[str, Any]:
    return {name: getattr(manifest, name) for name in manifest.__dataclass_fields__}


def test_missing_keys_get_their_defaults(tmp_path: Path) -> None:
    found = read_manifest(write(tmp_path / "run-8", {"argv": ["true"]}))
    assert (found.name, found.state, found.limit, found.exit_status) == ("run-8", "recording", None, None)
    assert found.validity == ()


# --- what is no run ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("", "run.json is empty"),
        ("{", "not whole JSON"),
        ("[1, 2]", "does not hold an object"),
        ("{}", "names neither a command nor a format"),
        ("[" * 100_000, "not whole JSON"),
        ('{"argv": ' + "9" * 10_000 + "}", "not whole JSON"),
        (" " * (17 << 20), "larger than 16 MiB"),
    ],
    ids=["empty", "cut", "list", "foreign", "deep", "huge number", "huge file"],
)
def test_a_folder_without_a_readable_manifest_is_no_run(tmp_path: Path, content: str, why: str) -> None:
    with pytest.raises(NotARunError, match=f"{why}.* Hint: "):
        read_manifest(write(tmp_path / "x", content))


def test_bytes_that_are_no_text_are_no_run(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(NotARunError, match="not whole JSON"):
        read_manifest(tmp_path)


def test_what_is_no_folder_is_no_run(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(NotARunError, match="does not exist"):
        read_manifest(tmp_path / "nowhere")
    with pytest.raises(NotARunError, match="is not a folder"):
        read_manifest(tmp_path / "file")
    with pytest.raises(NotARunError, match=r"there is no run\.json"):
        read_manifest(tmp_path)


def test_a_newer_format_names_what_reads_it(tmp_path: Path) -> None:
    folder = write(tmp_path / "run-9", {"format": 2, "recorder": {"diagtools": "3.4.0"}})
    with pytest.raises(NotARunError, match=r"format 2 \(diagtools 3\.4\.0 wrote it\).*'diagtools>=3\.4\.0'"):
        read_manifest(folder)
    assert has_newer_format(folder)
    assert not has_newer_format(write(tmp_path / "run-1", {"format": 1}))
    assert not has_newer_format(write(tmp_path / "run-0", "{"))


def test_a_manifest_that_is_a_link_out_of_the_folder_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text('{"argv": ["secret"]}')
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "run.json").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(NotARunError, match="link that leads out"):
        read_manifest(folder)


# --- half a run ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("content", ["", '{"argv": ["py', None])
def test_half_a_run_gives_what_its_records_tell(tmp_path: Path, content: str | None) -> None:
    folder = make_run(tmp_path / "run", Recording().start(hz=50))
    (folder / "run.json").unlink()
    if content is not None:
        write(folder, content)
    found = read_manifest(folder)
    assert (found.name, found.state, found.argv) == ("run", "recording", ())
    assert (found.start_ns, found.wall_ns, found.hz) == (START_NS, WALL_NS, 50.0)
    assert found.started_at == "2025-11-04T12:00:00Z"
    assert [validity.state for validity in found.validity] == [State.TRUNCATED]


def test_half_a_run_without_a_header_opens_too(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "run", flipped(Recording().start().data, 99))
    (folder / "run.json").unlink()
    assert read_manifest(folder).start_ns is None


# --- hostile values ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("hz", "fast"),
        ("hz", -1),
        ("hz", True),
        ("duration_s", 1e999),
        ("exit_status", 1.5),
        ("exit_status", 10**400),
        ("start_ns", -5),
        ("wall_ns", [1]),
        ("argv", "rm -rf"),
        ("argv", ["a", 1]),
        ("env", {"A": 1}),
        ("recorder", ["x"]),
        ("name", {"x": 1}),
        ("limit", {"memory_bytes": 0, "enforcer": "watchdog"}),
        ("limit", {"memory_bytes": 5, "enforcer": "nobody"}),
        ("limit", 5),
        ("kernel_log", [None]),
        ("validity", [{"what": "x", "state": "perfect"}]),
        ("validity", ["fine"]),
    ],
)
def test_a_value_of_another_type_is_left_out_and_said(tmp_path: Path, key: str, value: object) -> None:
    folder = make_run(tmp_path / "run", manifest={key: value})
    assert doubts(folder) == [f"run.json: truncated (left out, not as declared: {key})"]


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "a/../../b", ""])
def test_an_artefact_that_would_lie_outside_is_dropped_and_said(tmp_path: Path, name: str) -> None:
    known = {"size_bytes": 1, "sha256": "0" * 64}
    folder = make_run(tmp_path / "run", manifest={"artefacts": {name: known, "stdout.log": known}})
    assert list(read_manifest(folder).artefacts) == ["stdout.log"]
    assert f"artefacts.{name}" in doubts(folder)[0]


def test_an_artefact_without_a_whole_checksum_is_dropped(tmp_path: Path) -> None:
    folder = make_run(
        tmp_path / "run", manifest={"artefacts": {"stdout.log": {"size_bytes": 1, "sha256": "0"}}}
    )
    assert read_manifest(folder).artefacts == {}


def test_many_odd_values_are_said_in_few_words(tmp_path: Path) -> None:
    artefacts = {f"../{n}" + "x" * 500: {} for n in range(1000)}
    folder = make_run(tmp_path / "run", manifest={"artefacts": artefacts})
    assert len(doubts(folder)[0]) < 400
    assert "995 more" in doubts(folder)[0]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=10,
)
KEYS = (
    *(
        "name",
        "state",
        "argv",
        "cwd",
        "env",
        "hz",
        "backend",
        "recorder",
        "platform",
        "git",
        "probes",
        "limit",
    ),
    *(
        "items",
        "tracking",
        "start_ns",
        "wall_ns",
        "started_at",
        "duration_s",
        "exit_status",
        "kernel_log",
        "artefacts",
    ),
    *("validity", "format"),
)


@given(st.dictionaries(st.sampled_from(KEYS), json_values))
def test_no_values_break_the_reader(raw: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = write(Path(name), {"argv": [], **raw})
        try:
            found = read_manifest(folder)
        except NotARunError:  # a format above 1
            return
        str(found).encode()


def test_reading_a_manifest_loads_nothing_of_third_parties() -> None:
    code = "import sys, diagtools.read.store; sys.exit('polars' in sys.modules or 'psutil' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], env=None).returncode == 0


def test_how_allocations_were_tracked_is_read_where_a_run_says_it(tmp_path: Path) -> None:
    tracked = make_run(tmp_path / "a", manifest={"tracking": {"tool": "memray", "tracker": "memray 1.20.0"}})
    assert read_manifest(tracked).tracking == {"tool": "memray", "tracker": "memray 1.20.0"}
    older = make_run(tmp_path / "b")  # from before there was such a thing
    assert "tracking" not in json.loads((older / "run.json").read_text())
    assert (read_manifest(older).tracking, doubts(older)) == ({}, [])
