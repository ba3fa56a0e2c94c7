"""Will a command that is being recorded reach its limit?"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from diagtools.capture.runner import capture
from diagtools.investigations.live_forecast import LiveForecast
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


def looks(live: LiveForecast, clock: Clock, n: int) -> list[str]:
    """What was said in so many looks, 10 s apart."""
    said = []
    for _ in range(n):
        clock.now_s += 10
        said.append(live.look())
    return [sentence for sentence in said if sentence is not None]


def test_a_limit_that_will_be_reached_is_said_once_it_is_sure(tmp_path: Path) -> None:
    """The 50th item stands at 200 MiB."""
    clock = Clock()
    live = LiveForecast(tmp_path, 200 * MIB, clock=clock)
    assert looks(live, clock, 2) == []
    written(tmp_path, 10)
    assert looks(live, clock, 2) == []
    written(tmp_path, 30)
    (sentence,) = looks(live, clock, 5)
    assert sentence.startswith(
        "If what is to come is like what was seen, memory reaches the limit of 200 MiB at"
    )
    assert "item 50 of 100, in about 10.0 s." in sentence
    assert "The whole job needs 300 MiB" in sentence


def test_a_limit_that_holds_is_not_spoken_of(tmp_path: Path) -> None:
    clock = Clock()
    written(tmp_path, 30)
    assert looks(LiveForecast(tmp_path, 900 * MIB, clock=clock), clock, 5) == []


def test_when_the_estimate_moves_much_it_is_said_again(tmp_path: Path) -> None:
    clock = Clock()
    live = LiveForecast(tmp_path, 400 * MIB, clock=clock)
    written(tmp_path, 30, features="n_items=300.0")
    assert ["item 150 of 300" in one for one in looks(live, clock, 4)] == [True]
    (tmp_path / "markers.log").unlink()
    written(tmp_path, 60, features="n_items=140.0")  # there are fewer than was said
    (sentence,) = looks(LiveForecast(tmp_path, 400 * MIB, clock=clock), clock, 4) or ["holds"]
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
    (sentence,) = looks(LiveForecast(tmp_path, 300 * MIB, clock=clock), clock, 3)
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
    (sentence,) = looks(LiveForecast(tmp_path, 300 * MIB, clock=clock), clock, 3)
    assert re.search(r"reaches the limit of 300 MiB at 3 min (1|2)\d s of the run", sentence)


def test_that_a_command_starts_is_no_trend(tmp_path: Path) -> None:
    recording = Recording().start()
    for tick in range(250):
        recording.sample(tick / 10, 100 * MIB + tick * MIB // 10)
    (tmp_path / "timeline.bin").write_bytes(recording.data)
    clock = Clock()
    assert looks(LiveForecast(tmp_path, 150 * MIB, clock=clock), clock, 5) == []


def test_without_a_limit_there_is_nothing_to_say(tmp_path: Path) -> None:
    clock = Clock()
    written(tmp_path, 30)
    assert looks(LiveForecast(tmp_path, None, clock=clock), clock, 3) == []


def test_files_that_cannot_be_read_say_nothing_and_raise_nothing(tmp_path: Path) -> None:
    clock = Clock()
    (tmp_path / "markers.log").mkdir()
    (tmp_path / "timeline.bin").symlink_to("/dev/zero")
    assert looks(LiveForecast(tmp_path, 200 * MIB, clock=clock), clock, 3) == []
    assert looks(LiveForecast(tmp_path / "gone", 200 * MIB, clock=clock), clock, 3) == []


def test_neither_polars_nor_altair_is_loaded() -> None:
    code = "import sys, diagtools.investigations.live_forecast as m; print({'polars', 'altair'} & set(sys.modules))"
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "set()\n"


class Told:
    """What is said beside a recording, as ``diagtools record`` says it."""

    def __init__(self, limit: Limit) -> None:
        self.limit = limit
        self.said: list[str] = []
        self._live: LiveForecast | None = None

    def look(self, folder: Path) -> None:
        self._live = self._live or LiveForecast(folder, self.limit.memory_bytes)
        sentence = self._live.look()
        if sentence is not None:
            self.said.append(sentence)


def recorded(
    code: str, folder: Path, repository: Path, limit_mib: int, *argv: str
) -> tuple[int | None, list[str]]:
    """How did this program end under this limit, and what was said before?"""
    limit = Limit(memory_bytes=limit_mib * MIB)
    env = {"PYTHONPATH": str(repository)}
    told = Told(limit)
    target = Target(argv=(sys.executable, "-c", code, *argv), limit=limit, env=env)
    return capture(target, folder, look=told.look).exit_status, told.said


def test_a_command_that_will_be_killed_is_told_so_before(tmp_path: Path, repository: Path) -> None:
    """Each item keeps 4 MiB: with what Python holds itself, 300 MiB are passed between items 60 and 75."""
    exit_status, said = recorded(LEAK, tmp_path / "run", repository, 300)
    assert exit_status == 137
    assert said
    assert 60 <= int(re.search(r"at item (\d+) of 100", said[0])[1]) <= 75


def test_quick_items_go_by_what_their_markers_read(tmp_path: Path) -> None:
    """2 MiB an item of 1 ms, 100 ms from one to the next: a sample fell within none, and item 50 stands at 200 MiB."""
    recording = Recording().start()
    lines = [marker(0.0, "note", "index", kind="phase", features="n_items=100.0")]
    for at in range(30):
        level = (100 + 2 * at) * MIB
        recording.sample(at / 10, level)
        lines.append(begin(at / 10 + 0.01, f"f{at}", index=at + 1, rss=level))
        lines.append(marker(at / 10 + 0.011, "end", f"f{at}", index=at + 1, status="ok", rss=level + 2 * MIB))
    recording.sample(3.0, 160 * MIB)
    (tmp_path / "timeline.bin").write_bytes(recording.data)
    (tmp_path / "markers.log").write_bytes(b"".join(lines))
    clock = Clock()
    (sentence,) = looks(LiveForecast(tmp_path, 200 * MIB, clock=clock), clock, 4)
    assert "item 50 of 100, in about 2.0 s." in sentence
    assert "The whole job needs 300 MiB" in sentence


INDEX = """
import time

kept = []

def index(path):
    kept.append(open(path, "rb").read() * 1000)
    time.sleep(0.05)
"""


def test_what_the_readme_says_of_the_work_to_come_is_used(tmp_path: Path, repository: Path) -> None:
    """80 files keep 1,000 times their size each, 330 MiB in all; with what Python holds, more than the limit."""
    text = (repository / "README.md").read_text(encoding="utf-8")
    (snippet,) = [
        block for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL) if "n_items=" in block
    ]
    paths = [tmp_path / f"{at:03}.txt" for at in range(80)]
    for at, path in enumerate(paths):
        path.write_bytes(b"x" * (1500 + at * 1979 % 5000))
    whole = sum(path.stat().st_size for path in paths) * 1000
    assert whole > 300 * MIB
    exit_status, said = recorded(INDEX + snippet, tmp_path / "run", repository, 280, *map(str, paths))
    assert exit_status == 137
    found = re.search(r"^Memory reaches the limit of 280 MiB at item (\d+) of 80\b", said[0])
    assert found
    assert "Peaks follow the sum of size_bytes" in said[0]
    reached = next(at for at in range(80) if _read(paths[: at + 1]) + 10 * MIB >= 280 * MIB) + 1
    assert abs(int(found[1]) - reached) <= 4


def _read(paths: list[Path]) -> int:
    return sum(path.stat().st_size for path in paths) * 1000
