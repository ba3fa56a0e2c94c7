"""A run opens whatever happened to it, says what its artefacts say together, and what is missing."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from diagtools import mark
from diagtools.capture.imports import capture_command_imports
from diagtools.capture.twice import capture_twice
from diagtools.errors import NoDataError, NotARunError
from diagtools.investigations.profile_report import live_during
from diagtools.profile import View
from diagtools.run import Run
from diagtools.values import Cause, Ending, Enforcer, Grade, State, Target, Tracking, Validity
from tests.support.runs import MIB, ROOT, START_NS, Recording, begin, end, flipped, make_run, marker, slot

LIMIT = {"memory_bytes": 400 * MIB, "enforcer": "watchdog"}


def killed(folder: Path) -> Path:
    """Two files indexed, the third asks for 300 MiB and the watchdog strikes at 0.06 s."""
    recording = Recording().start().event(0.0, "cap", 400 * MIB)
    recording.ramp([50, 60, 60, 70, 100, 250, 401]).output(0.02, 10).output(0.05, 40, stream=2)
    recording.event(0.06, "watchdog", 401 * MIB, 400 * MIB).close(0.07, exit_status=137)
    return make_run(
        folder,
        recording,
        markers=[
            marker(0.0, "begin", "index", kind="phase", index=1),
            begin(0.005, "a.py", index=2, features="size_bytes=10.0"),
            end(0.015, "a.py", index=2),
            begin(0.015, "b.py", index=3),
            end(0.035, "b.py", index=3, status="failed", error="ValueError"),
            begin(0.035, "dist/killer.js", index=4, rss=70 * MIB),
        ],
        stdout=b"indexing\n\n",
        stderr=b"token=abc123def\nFunction 'k' too large\n",
        manifest={"exit_status": 137, "duration_s": 0.3, "limit": LIMIT},
    )


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run.open(killed(tmp_path / "run-7"))


# --- what a killed run says ----------------------------------------------------------------------------


def test_how_it_ended(run: Run) -> None:
    assert (run.exit_status, run.limit_bytes, run.duration_s) == (137, 400 * MIB, pytest.approx(0.07))
    assert run.death is not None
    assert (run.death.cause, run.death.grade) == (Cause.WATCHDOG, Grade.PROVEN)
    assert run.item_in_flight == "dist/killer.js"


def test_a_manifest_that_contradicts_the_timeline_is_not_believed(tmp_path: Path) -> None:
    path = killed(tmp_path / "run")
    manifest = json.loads((path / "run.json").read_text())
    (path / "run.json").write_text(json.dumps({**manifest, "exit_status": 0}))
    run = Run.open(path)
    assert run.exit_status == 137
    assert "it names the exit status 0, the timeline 137" in {one.note for one in run.validity}


def test_what_it_used(run: Run) -> None:
    assert (run.peak_rss_bytes, run.final_rss_bytes) == (401 * MIB, 401 * MIB)
    assert run.tree["rss_bytes"].to_list() == [n * MIB for n in (50, 60, 60, 70, 100, 250, 401)]
    assert run.timeline["pid"].unique().to_list() == [ROOT]
    assert run.processes["exit_status"].to_list() == [137]
    assert run.events["kind"].to_list() == ["started", "cap", "watchdog", "ended", "closed"]
    assert run.system.is_empty()


def test_what_it_worked_on(run: Run) -> None:
    assert run.items.select("item", "status").rows() == [
        ("a.py", "ok"),
        ("b.py", "failed"),
        ("dist/killer.js", "in_flight"),
    ]
    assert run.items["demand_bytes"][2] == 331 * MIB
    assert run.phases.select("phase", "status").rows() == [("index", "in_flight")]
    assert run.markers.height == 6


def test_what_it_said_last(run: Run) -> None:
    assert run.logs["line"].to_list() == ["indexing", "", "token=abc123def", "Function 'k' too large"]
    assert run.last_log_lines(2) == ["token=[redacted]", "Function 'k' too large"]
    assert run.last_log_lines() == ["indexing", "token=[redacted]", "Function 'k' too large"]


def test_nothing_is_said_against_a_whole_run(run: Run) -> None:
    assert run.validity == ()
    assert run.verify() == ()


def test_it_shows_itself_in_one_line(run: Run) -> None:
    text = "Run 'run-7': exit status 137, after 70 ms, peak RSS 401 MiB (limit 400 MiB), in 'dist/killer.js'"
    assert repr(run) == text
    assert run._repr_mimebundle_() == {"text/plain": text}


def test_frames_are_read_once(run: Run) -> None:
    assert run.items is run.items
    assert run.timeline is run.timeline


# --- a run that ended well -----------------------------------------------------------------------------


def test_no_item_is_in_flight_where_the_run_ended_well(tmp_path: Path) -> None:
    """A file that was opened last and never ended by another is not a suspect."""
    recording = Recording().start().ramp([10, 20, 30]).close(0.03)
    run = Run.open(make_run(tmp_path / "run", recording, markers=[begin(0.0, "a.py")]))
    assert (run.exit_status, run.death, run.item_in_flight) == (0, None, None)


def test_processes_side_by_side_say_that_shared_pages_count_twice(tmp_path: Path) -> None:
    recording = Recording().start().sample(0.01, 10 * MIB).sample(0.01, 5 * MIB, pid=200).close(0.02)
    run = Run.open(make_run(tmp_path / "run", recording))
    assert [validity.state for validity in run.validity] == [State.SHARED_N_TIMES]
    assert run.peak_rss_bytes == 15 * MIB


def test_the_high_water_mark_of_a_single_process_counts(tmp_path: Path) -> None:
    recording = Recording().start().sample(0.01, 10 * MIB, hwm=90 * MIB).close(0.02)
    assert Run.open(make_run(tmp_path / "run", recording)).peak_rss_bytes == 90 * MIB


def test_a_high_water_mark_from_before_the_recording_does_not(tmp_path: Path) -> None:
    recording = Recording().header().event(0.0, "attached").process(0.0)
    recording.sample(0.01, 10 * MIB, hwm=90 * MIB).event(0.02, "closed", 2)
    assert Run.open(make_run(tmp_path / "run", recording)).peak_rss_bytes == 10 * MIB


# --- what is missing -----------------------------------------------------------------------------------


def test_a_run_whose_recorder_was_killed_is_completed_from_the_timeline(tmp_path: Path) -> None:
    """The sampler closed the timeline; run.json still says what was known at the begin."""
    unknown = {
        "state": "recording",
        "exit_status": None,
        "duration_s": None,
        "start_ns": None,
        "wall_ns": None,
    }
    folder = killed(tmp_path / "run")
    recording = Recording().start().event(0.0, "cap", 400 * MIB).ramp([50, 401])
    recording.event(0.01, "watchdog", 401 * MIB, 400 * MIB).close(0.02, exit_status=137)
    run = Run.open(make_run(tmp_path / "half", recording, manifest={**unknown, "limit": LIMIT}))
    assert (run.exit_status, run.duration_s, run.limit_bytes) == (137, pytest.approx(0.02), 400 * MIB)
    assert run.death is not None
    assert run.death.cause is Cause.WATCHDOG
    assert folder != run.path


def attached(folder: Path, *last: str) -> Run:
    recording = Recording().header().event(0.0, "attached").process(0.0).ramp([10, 20])
    for name in last:
        recording.event(0.02, name)
    return Run.open(make_run(folder, recording, manifest={"exit_status": None}))


def test_what_became_of_a_program_whose_exit_status_nobody_saw(tmp_path: Path) -> None:
    assert attached(tmp_path / "ended", "closed").ending is Ending.ENDED
    assert attached(tmp_path / "stopped", "stopped", "closed").ending is Ending.WENT_ON
    assert attached(tmp_path / "cut").ending is Ending.UNKNOWN


def test_a_manifest_that_was_never_completed_is_named_once(tmp_path: Path) -> None:
    """The disk was full, or the recorder killed: the timeline has its end and ``run.json`` has not."""
    begun = {"state": "recording", "exit_status": None, "duration_s": None, "artefacts": {}}
    closed = Recording().start().ramp([50, 100]).close(0.02)
    (doubt,) = Run.open(make_run(tmp_path / "a", closed, manifest=begun)).validity
    assert (doubt.what, doubt.state) == ("run.json", State.TRUNCATED)
    assert "never completed" in doubt.note
    (doubt,) = Run.open(make_run(tmp_path / "b", Recording().start().ramp([50]), manifest=begun)).validity
    assert (doubt.what, "did not close the run" in doubt.note) == ("timeline", True)


def test_a_missing_manifest_is_not_called_incomplete_as_well(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "run", Recording().start().ramp([50]).close(0.02))
    (folder / "run.json").unlink()
    (doubt,) = Run.open(folder).validity
    assert "there is no run.json" in doubt.note


def test_a_killed_sampler_is_named_once(tmp_path: Path) -> None:
    """Its recorder wrote down that it was killed: that it did not close the timeline is the same fact."""
    known = {"what": "timeline", "state": "truncated", "note": "the sampler was killed"}
    folder = make_run(tmp_path / "run", Recording().start().ramp([50]), manifest={"validity": [known]})
    assert [one.note for one in Run.open(folder).validity] == ["the sampler was killed"]


def test_a_run_that_nobody_closed_says_so(tmp_path: Path) -> None:
    """Target, sampler and recorder were killed: nobody saw the exit status."""
    recording = Recording().start().ramp([50, 100, 150])
    folder = make_run(tmp_path / "run", recording.data + b"torn", markers=[begin(0.0, "a.py")])
    (folder / "run.json").unlink()
    run = Run.open(folder)
    assert (run.exit_status, run.duration_s, run.limit_bytes) == (None, pytest.approx(0.02), None)
    assert (run.peak_rss_bytes, run.item_in_flight) == (150 * MIB, "a.py")
    assert run.death is not None
    assert run.death.cause is Cause.UNKNOWN
    said = "\n".join(map(str, run.validity))
    assert "there is no run.json" in said
    assert "1 of 7 records damaged" in said
    assert "did not close the run" in said


def test_the_limit_is_known_from_the_timeline_alone(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "run", Recording().start().event(0.0, "cap", 400 * MIB))
    (folder / "run.json").unlink()
    assert Run.open(folder).limit_bytes == 400 * MIB


@pytest.mark.parametrize(
    ("number", "cause"), [(0, Cause.WATCHDOG), (1, Cause.CGROUP_OOM), (2, Cause.UNKNOWN)]
)
def test_half_a_run_knows_who_enforced_its_limit(tmp_path: Path, number: int, cause: Cause) -> None:
    """SIGKILL near the limit, and the recording was cut: who enforced it decides what is likely."""
    recording = Recording().start().event(0.0, "cap", 400 * MIB, number).ramp([50, 399]).exit(0.02, 137)
    folder = make_run(tmp_path / "run", recording)
    (folder / "run.json").unlink()
    run = Run.open(folder)
    assert run.limit is not None
    assert (run.limit.memory_bytes, run.limit.enforcer) == (400 * MIB, [*Enforcer][number])
    assert run.death is not None
    assert run.death.cause is cause


@pytest.mark.parametrize("data", [None, b"", b"x" * 640], ids=["absent", "empty", "garbage"])
def test_a_run_without_a_readable_timeline_still_opens(tmp_path: Path, data: bytes | None) -> None:
    unknown = {"start_ns": None, "exit_status": 3, "duration_s": 0.5}
    folder = make_run(
        tmp_path / "run", data, markers=[begin(0.1, "a.py")], stdout=b"hello\n", manifest=unknown
    )
    run = Run.open(folder)
    assert (run.peak_rss_bytes, run.final_rss_bytes, run.exit_status, run.duration_s) == (None, None, 3, 0.5)
    assert (run.tree.height, run.items.height, run.last_log_lines()) == (0, 1, ["hello"])
    assert run.validity[0].what == "timeline"
    assert run.validity[0].state is State.TRUNCATED
    with pytest.raises(NoDataError, match="No memory samples in 'run'"):
        _ = run.timeline
    assert repr(run) == "Run 'run': exit status 3, after 500 ms, in 'a.py'"


def test_a_target_that_died_before_its_first_sample_says_so(tmp_path: Path) -> None:
    run = Run.open(make_run(tmp_path / "run", Recording().start().close(0.003, exit_status=1)))
    with pytest.raises(NoDataError, match=r"ended before the first sample.*--hz 1000"):
        _ = run.timeline
    assert run.peak_rss_bytes is None


def test_a_damaged_header_costs_nothing_but_itself(tmp_path: Path) -> None:
    data = Recording().start().ramp([50, 100]).close(0.02).data
    run = Run.open(make_run(tmp_path / "run", flipped(data, 70), manifest={"start_ns": START_NS}))
    assert run.timeline["t_s"].to_list() == [0.0, 0.01]
    assert any("header" in validity.note for validity in run.validity)


def test_everything_that_is_wrong_is_said_once(tmp_path: Path) -> None:
    known = {"what": "timeline", "state": "truncated", "note": "1 of 8 records missing"}
    records = Recording().start().ramp([1, 2]).close(0.02).records
    log = begin(0.0, "a.py") + b"torn"
    run = Run.open(
        make_run(
            tmp_path / "run",
            b"".join(records[:3] + records[4:]),
            markers=[log],
            files={mark.SLOT_GLOB.replace("*", "100"): slot(4, 0.01, index=3)},
            manifest={"validity": [known]},
        )
    )
    assert [f"{validity.what}: {validity.note}" for validity in run.validity] == [
        "timeline: 1 of 8 records missing",
        "markers: 1 of 2 lines of markers.log damaged and left out",
        "markers: 1 read from a slot alone: status, error and features of these are unknown",
        "markers: 2 of 4 markers missing",
    ]


def test_items_that_were_asked_for_and_are_not_there_are_said_once(tmp_path: Path) -> None:
    recording = Recording().start().ramp([10, 20]).close(0.02)
    run = Run.open(make_run(tmp_path / "run", recording, manifest={"items": {"calls": "app:f"}}))
    (said,) = run.validity
    assert (said.what, said.state) == ("items", State.SKIPPED)
    assert "calls of app:f were asked for and none was recorded" in said.note


def test_what_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotARunError):
        Run.open(tmp_path)
    with pytest.raises(NotARunError):
        Run.open(str(tmp_path / "nowhere"))


# --- artefacts -----------------------------------------------------------------------------------------


def test_artefacts_that_are_not_what_they_were_are_named(tmp_path: Path) -> None:
    folder = killed(tmp_path / "run")
    data = (folder / "timeline.bin").read_bytes()
    (folder / "timeline.bin").write_bytes(flipped(data, 900))
    (folder / "stdout.log").write_bytes(b"more than that\n")
    (folder / "stderr.log").unlink()
    assert Run.open(folder).verify() == (
        Validity(what="stderr.log", state=State.TRUNCATED, note="it is gone"),
        Validity(what="stdout.log", state=State.TRUNCATED, note="15 bytes where 10 were closed"),
        Validity(what="timeline.bin", state=State.TRUNCATED, note="its bytes are not those that were closed"),
    )


def test_an_artefact_of_another_size_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A huge file with nothing in it would take minutes."""
    folder = killed(tmp_path / "run")
    os.truncate(folder / "stdout.log", 20 << 30)
    hashed = []
    digest = hashlib.file_digest

    def noted(file: Any, name: str) -> Any:
        hashed.append(Path(file.name).name)
        return digest(file, name)

    monkeypatch.setattr("diagtools.read.checksums.hashlib.file_digest", noted)
    notes = {one.what: one.note for one in Run.open(folder).verify()}
    assert notes["stdout.log"] == "21,474,836,480 bytes where 10 were closed"
    assert "stdout.log" not in hashed


def test_an_artefact_that_became_a_link_out_of_the_folder_is_not_opened(tmp_path: Path) -> None:
    folder = killed(tmp_path / "run")
    (folder / "timeline.bin").rename(tmp_path / "elsewhere.bin")
    (folder / "timeline.bin").symlink_to(tmp_path / "elsewhere.bin")
    run = Run.open(folder)
    assert "link that leads out" in run.verify()[0].note
    assert "link that leads out" in run.validity[0].note
    assert run.peak_rss_bytes is None


def test_opening_a_run_reads_no_artefact(tmp_path: Path) -> None:
    folder = killed(tmp_path / "run")
    run = Run.open(folder)
    for path in folder.iterdir():
        path.unlink()
    assert run.manifest.argv == ("python", "index.py")


def test_importing_the_public_front_does_not_load_it() -> None:
    code = "import sys, diagtools; sys.exit('diagtools.run' in sys.modules or 'polars' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux")
def test_recorded_imports_are_those_of_the_process_that_imports_most(tmp_path: Path) -> None:
    code = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import decimal, json, email.message'])"
    target = Target(argv=(sys.executable, "-c", code))
    run = Run.open(capture_command_imports(target, tmp_path / "run"))
    assert {"decimal", "json"} <= set(run.imports["module"])


def test_a_run_without_recorded_imports_says_so(tmp_path: Path) -> None:
    with pytest.raises(NoDataError, match="recorded its imports"):
        _ = Run.open(killed(tmp_path / "run")).imports


MARKED = """
import time
from diagtools import mark
mark.phase("load")
kept = bytearray(8 << 20)
time.sleep(0.3)
mark.phase("index")
for number in (1, 2):
    time.sleep(0.3)  # memray reads the clock first and waits for its lock then: what comes at once may count before
    with mark.item(f"file{number}"):
        held = bytearray(number * 16 << 20)
        time.sleep(0.3)
        del held
        time.sleep(0.3)  # memray notes ten times in a tenth of a second what was freed
"""


@pytest.fixture(scope="module")
def tracked(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A program with items, run plain and then under memray."""
    folder = tmp_path_factory.mktemp("tracked")
    (folder / "app.py").write_text(MARKED)
    target = Target(argv=(sys.executable, "app.py"), cwd=folder, tracking=Tracking())
    return Run.open(capture_twice(target, folder / "run").plain.folder)


def test_a_run_that_ran_twice_has_its_memory_from_one_and_its_allocations_from_the_other(
    tracked: Run,
) -> None:
    assert tracked.tracked is not None
    assert not [one for one in tracked.validity if one.state is State.UNDER_TRACKER]
    assert [one for one in tracked.tracked.validity if one.state is State.UNDER_TRACKER]
    assert tracked.allocations.total > (8 + 32) * MIB
    leaked = tracked.profile(View.LEAKED)
    assert 8 * MIB < leaked.total < 16 * MIB


def test_what_lived_while_an_item_ran_is_on_the_clock_of_the_run(tracked: Run) -> None:
    for name, mib in (("file1", 16), ("file2", 32), ("load", 0)):
        lived = live_during(tracked, name).profile
        assert abs(lived.total - (8 + mib) * MIB) < 3 * MIB, name
    kept = live_during(tracked, "file2", "kept").profile
    assert kept.total < 3 * MIB
    with pytest.raises(NoDataError, match="no item or phase 'file3'"):
        live_during(tracked, "file3")


def test_what_a_tracker_noted_is_said_of_a_run_that_nobody_closed(tracked: Run, tmp_path: Path) -> None:
    assert tracked.tracked is not None
    half = tmp_path / "half"
    shutil.copytree(tracked.tracked.path, half)
    manifest = json.loads((half / "run.json").read_text())
    (half / "run.json").write_text(
        json.dumps({**manifest, "state": "recording", "validity": [], "artefacts": {}})
    )
    assert "observed under a tracker" in str([str(one) for one in Run.open(half).validity])


def test_a_run_without_a_tracker_has_no_allocations(run: Run) -> None:
    assert run.tracked is None
    with pytest.raises(NoDataError, match="recorded without a tracker"):
        _ = run.allocations
