"""Will a command that is being recorded reach its limit?"""

from __future__ import annotations

import re
import subprocess
import sys
import threading
from pathlib import Path

from diagtools.capture.runner import Captured, capture
from diagtools.investigations.live_forecast import Follower
from diagtools.values import Limit, Target
from tests.support.runs import MIB, Recording, begin, end, marker

LEAK = """
import time
from diagtools import mark

kept = []
mark.phase("index").note(n_items=100)
for number in range(100):
    with mark.item(f"f{number}", size_bytes=1000 + number * 7919 % 5000):
        kept.append(bytearray(4 << 20))
        time.sleep(0.06)
"""


class Clock:
    """Seconds that pass when they are told to."""

    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def written(folder: Path, n: int, *, features: str = "n_items=100.0", step_mib: int = 2) -> None:
    """A recording of ``n`` items of half a second that each keep so much, on 100 MiB."""
    recording = Recording().start()
    lines = [marker(0.0, "note", "index", kind="phase", features=features)]
    for at in range(n):
        recording.sample(at / 2, (100 + step_mib * at) * MIB)
        recording.sample(at / 2 + 0.25, (100 + step_mib * (at + 1)) * MIB)
        size = f"size={1000.0 + at * 7919 % 5000}"
        lines += [
            begin(at / 2 + 0.01, f"f{at}", index=at + 1, features=size),
            end(at / 2 + 0.4, "", index=at + 1),
        ]
    recording.sample(n / 2, (100 + step_mib * n) * MIB)
    (folder / "timeline.bin").write_bytes(recording.data)
    (folder / "markers.log").write_bytes(b"".join(lines))


def looks(follower: Follower, clock: Clock, n: int) -> list[str]:
    """What was said in so many looks, 10 s apart."""
    said = []
    for _ in range(n):
        clock.now_s += 10
        said.append(follower.look())
    return [sentence for sentence in said if sentence is not None]


def test_a_limit_that_will_be_reached_is_said_once_it_is_sure(tmp_path: Path) -> None:
    """The 50th item stands at 200 MiB."""
    clock = Clock()
    follower = Follower(tmp_path, 200 * MIB, clock=clock)
    assert looks(follower, clock, 2) == []
    written(tmp_path, 10)
    assert looks(follower, clock, 2) == []
    written(tmp_path, 30)
    (sentence,) = looks(follower, clock, 5)
    assert sentence.startswith(
        "If what is to come is like what was seen, memory reaches the limit of 200 MiB at"
    )
    assert "item 50 of 100, in about 10.0 s." in sentence
    assert "The whole job needs 300 MiB" in sentence


def test_a_limit_that_holds_is_not_spoken_of(tmp_path: Path) -> None:
    clock = Clock()
    written(tmp_path, 30)
    assert looks(Follower(tmp_path, 900 * MIB, clock=clock), clock, 5) == []


def test_when_the_estimate_moves_much_it_is_said_again(tmp_path: Path) -> None:
    clock = Clock()
    follower = Follower(tmp_path, 400 * MIB, clock=clock)
    written(tmp_path, 30, features="n_items=300.0")
    assert ["item 150 of 300" in one for one in looks(follower, clock, 4)] == [True]
    (tmp_path / "markers.log").unlink()
    written(tmp_path, 60, features="n_items=140.0")  # there are fewer than was said
    (sentence,) = looks(Follower(tmp_path, 400 * MIB, clock=clock), clock, 4) or ["holds"]
    assert sentence == "holds"


def test_the_sums_of_what_is_to_come_are_used(tmp_path: Path) -> None:
    sizes = [1000.0 + at * 7919 % 5000 for at in range(100)]
    recording = Recording().start()
    lines = [marker(0.0, "note", "index", kind="phase", features=f"n_items=100.0,total_size={sum(sizes)}")]
    level = 100 * MIB
    for at, size in enumerate(sizes[:40]):
        recording.sample(at / 2, level)
        level += int(size * 1000)
        recording.sample(at / 2 + 0.25, level)
        lines.append(begin(at / 2 + 0.01, "f", index=at + 1, features=f"size={size}"))
        lines.append(end(at / 2 + 0.4, "f", index=at + 1))
    recording.sample(20.0, level)
    (tmp_path / "timeline.bin").write_bytes(recording.data)
    (tmp_path / "markers.log").write_bytes(b"".join(lines))
    clock = Clock()
    (sentence,) = looks(Follower(tmp_path, 300 * MIB, clock=clock), clock, 3)
    assert sentence.startswith("Memory reaches the limit of 300 MiB at item ")
    assert "Peaks follow the sum of size." in sentence
    number = int(re.search(r"at item (\d+)", sentence)[1])
    reached = next(at for at in range(100) if 100 * MIB + 1000 * sum(sizes[: at + 1]) >= 300 * MIB) + 1
    assert abs(number - reached) <= 3


def test_without_items_it_goes_by_time(tmp_path: Path) -> None:
    """1 MiB a second on 100 MiB: 300 MiB after 200 s."""
    recording = Recording().start()
    for tick in range(1000):
        recording.sample(tick / 10, 100 * MIB + tick * MIB // 10)
    (tmp_path / "timeline.bin").write_bytes(recording.data)
    clock = Clock()
    (sentence,) = looks(Follower(tmp_path, 300 * MIB, clock=clock), clock, 3)
    assert re.search(r"reaches the limit of 300 MiB at 3 min (1|2)\d s of the run", sentence)


def test_that_a_command_starts_is_no_trend(tmp_path: Path) -> None:
    recording = Recording().start()
    for tick in range(250):
        recording.sample(tick / 10, 100 * MIB + tick * MIB // 10)
    (tmp_path / "timeline.bin").write_bytes(recording.data)
    clock = Clock()
    assert looks(Follower(tmp_path, 150 * MIB, clock=clock), clock, 5) == []


def test_without_a_limit_there_is_nothing_to_say(tmp_path: Path) -> None:
    clock = Clock()
    written(tmp_path, 30)
    assert looks(Follower(tmp_path, None, clock=clock), clock, 3) == []


def test_it_looks_once_a_second_at_most(tmp_path: Path) -> None:
    clock = Clock()
    follower = Follower(tmp_path, 200 * MIB, clock=clock)
    follower.look()
    written(tmp_path, 30)
    clock.now_s = 0.9
    assert [follower.look() for _ in range(5)] == [None] * 5
    assert follower._progress.ended == []
    clock.now_s = 1.1
    follower.look()
    assert len(follower._progress.ended) == 30


def test_files_that_cannot_be_read_say_nothing_and_raise_nothing(tmp_path: Path) -> None:
    clock = Clock()
    (tmp_path / "markers.log").mkdir()
    (tmp_path / "timeline.bin").symlink_to("/dev/zero")
    assert looks(Follower(tmp_path, 200 * MIB, clock=clock), clock, 3) == []
    assert looks(Follower(tmp_path / "gone", 200 * MIB, clock=clock), clock, 3) == []


def test_neither_polars_nor_altair_is_loaded() -> None:
    code = "import sys, diagtools.investigations.live_forecast as m; print({'polars', 'altair'} & set(sys.modules))"
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "set()\n"


def test_a_command_that_will_be_killed_is_told_so_before(tmp_path: Path, repository: Path) -> None:
    """Each item keeps 4 MiB: with what Python holds itself, 300 MiB are passed between items 60 and 75."""
    limit = Limit(memory_bytes=300 * MIB)
    env = {"PYTHONPATH": str(repository)}
    target = Target(argv=(sys.executable, "-c", LEAK), limit=limit, env=env)
    folder = tmp_path / "run"
    follower = Follower(folder, limit.memory_bytes)
    said: list[str] = []
    is_over = threading.Event()

    def follow() -> None:
        while not is_over.wait(0.05):
            sentence = follower.look()
            if sentence is not None:
                said.append(sentence)

    thread = threading.Thread(target=follow)
    thread.start()
    try:
        captured: Captured = capture(target, folder)
    finally:
        is_over.set()
        thread.join()
    assert captured.exit_status == 137
    assert said
    assert 60 <= int(re.search(r"at item (\d+) of 100", said[0])[1]) <= 75
