"""What the sampler saw of the processes of a session."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from diagtools.read.suite_samples import SuiteSamples
from diagtools.run import Run
from tests.support.runs import MIB, ROOT, START_NS, Recording, at, make_run

# Of ROOT a child 200 and its child 300; 400 is of somebody else.
RECORDING = (
    Recording()
    .start()
    .process(0.0, 200, ppid=ROOT)
    .process(0.1, 300, ppid=200)
    .process(0.1, 400, ppid=1)
    .sample(0.1, 50 * MIB)
    .sample(0.1, 10 * MIB, pid=200)
    .sample(0.1, 5 * MIB, pid=300)
    .sample(0.1, 900 * MIB, pid=400)
    .sample(0.2, 80 * MIB)
    .sample(0.2, 30 * MIB, pid=200)
    .sample(0.3, 40 * MIB)
    .sample(0.3, 20 * MIB, pid=300)
    .close()
)


def samples(folder: Path) -> SuiteSamples:
    """As a session reads them at its end."""
    make_run(folder, RECORDING)
    return SuiteSamples.read(folder)


def test_the_most_of_a_process_between_two_moments(tmp_path: Path) -> None:
    found = samples(tmp_path / "run")
    assert found.highest(ROOT, START_NS, None) == 80 * MIB
    assert found.highest(ROOT, at(0.25), None) == 40 * MIB
    assert found.highest(ROOT, at(0.1), at(0.1)) == 50 * MIB
    assert found.highest(ROOT, at(0.11), at(0.19)) is None
    assert found.highest(ROOT, at(0.31), None) is None
    assert found.highest(12345, START_NS, None) is None


def test_all_that_it_started_at_once(tmp_path: Path) -> None:
    found = samples(tmp_path / "run")
    assert found.highest_below(ROOT, START_NS, None) == 30 * MIB  # 15, 30, 20
    assert found.highest_below(ROOT, START_NS, at(0.15)) == 15 * MIB
    assert found.highest_below(200, START_NS, None) == 20 * MIB
    assert found.highest_below(300, START_NS, None) is None


def test_the_frames_say_the_same(tmp_path: Path) -> None:
    found = samples(tmp_path / "run")
    run = Run.open(tmp_path / "run")
    same = SuiteSamples.of_frames(run.timeline, run.processes, START_NS)
    for pid in (ROOT, 200, 300, 400, 5):
        for begin_s in (0.0, 0.15, 0.25, 0.5):
            assert found.highest(pid, at(begin_s), None) == same.highest(pid, at(begin_s), None)
            assert found.highest_below(pid, at(begin_s), None) == same.highest_below(pid, at(begin_s), None)


def test_parents_in_a_circle_end() -> None:
    found = SuiteSamples([(1, 1, 10), (1, 2, 20), (1, 3, 30)], {1: 3, 2: 1, 3: 2})
    assert found.highest_below(1, 0, None) in (50, 60)


def test_a_folder_without_a_timeline_has_no_samples(tmp_path: Path) -> None:
    assert SuiteSamples.read(tmp_path).highest(1, 0, None) is None
    (tmp_path / "timeline.bin").symlink_to("/etc/passwd")
    assert SuiteSamples.read(tmp_path).highest(1, 0, None) is None


@given(st.integers(0, len(RECORDING.data)))
def test_a_timeline_that_is_cut_gives_its_whole_records(n: int) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "timeline.bin").write_bytes(RECORDING.data[:n])
        assert SuiteSamples.read(Path(folder)).highest(ROOT, START_NS, None) in (None, 50 * MIB, 80 * MIB)
