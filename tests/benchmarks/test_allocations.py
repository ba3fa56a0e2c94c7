from __future__ import annotations

import random
import sys
from pathlib import Path

import pytest

from benchmarks.allocations import (
    AGAIN,
    CHART,
    FLAMEGRAPH,
    FRAMES,
    NARROW,
    NATIVE,
    STATS,
    again_of,
    goals_of,
    peak_of,
    wall_of,
)
from benchmarks.browser import chromium, tab
from benchmarks.footprint import FailedError, footprint
from benchmarks.icicles import profile_of
from benchmarks.processes import PYTHON, output_of, target
from benchmarks.results import Collected

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the benchmarks read /proc")

MB = 1_000_000
_HOLD = "import time; held = b'x' * {}; time.sleep(0.3)"


def test_the_memory_of_a_command_is_that_of_its_processes_together(tmp_path: Path) -> None:
    below = f"import subprocess, sys; held = b'x' * {60 * MB}; subprocess.run([sys.executable, '-c', sys.argv[1]])"

    alone = footprint([PYTHON, "-c", _HOLD.format(100 * MB)], tmp_path / "said")
    both = footprint([PYTHON, "-c", below, _HOLD.format(100 * MB)], tmp_path / "said")

    assert 100 * MB < alone.peak_bytes < 130 * MB
    assert 160 * MB < both.peak_bytes < 210 * MB


def test_the_cpu_of_a_command_is_also_that_of_what_it_waited_for(tmp_path: Path) -> None:
    busy = "import time\nwhile time.process_time() < 0.3: pass"
    below = "import subprocess, sys; subprocess.run([sys.executable, '-c', sys.argv[1]])"

    assert footprint([PYTHON, "-c", below, busy], tmp_path / "said").cpu_s >= 0.3


def test_a_command_that_fails_is_no_measurement(tmp_path: Path) -> None:
    with pytest.raises(FailedError, match="exited with 3: no such capture"):
        footprint([PYTHON, "-c", "print('no such capture'); raise SystemExit(3)"], tmp_path / "said")


def test_a_capture_holds_as_many_stacks_as_were_asked_for(tmp_path: Path) -> None:
    memray = pytest.importorskip("memray")
    capture = tmp_path / "capture.bin"
    command = target("allocate", 20_000, 250)

    output_of([PYTHON, "-m", "memray", "run", "-q", "-o", str(capture), *command[1:]])

    reader = memray.FileReader(capture)
    own = [
        record.stack_trace()
        for record in reader.get_high_watermark_allocation_records()
        if any(function == "keep" for function, *_ in record.stack_trace())
    ]
    kept = {tuple(stack) for stack in own}
    lines = {stack[1:] for stack in kept}
    assert len(lines) == 250
    assert 20_000 <= reader.metadata.total_allocations < 40_000


def test_a_drawn_profile_has_as_many_distinct_stacks_and_repeats() -> None:
    one, two = (profile_of(500, random.Random(1)) for _ in range(2))

    assert one.allocations["stack_id"].n_unique() == 500
    assert one.allocations.equals(two.allocations)


_SLOW_PAGE = """<figure class="drawn" style="width: 300px; height: 300px; background: grey"></figure><script>
  const figure = document.querySelector("figure");
  figure.addEventListener("click", () => setTimeout(() => {
    const until = performance.now() + 200;
    while (performance.now() < until) {}
    figure.append("shown");
  }));
</script>"""


@pytest.mark.skipif(chromium() is None, reason="there is no Chromium")
def test_a_click_takes_until_what_it_changes_is_shown(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text(_SLOW_PAGE, encoding="utf-8")

    with tab(str(chromium()), tmp_path / "browser") as shown:
        shown.open(page)
        spent_ms = shown.click_ms(100, 100)
        text = shown.value("document.querySelector('figure').textContent")

    assert text == "shown"
    assert spent_ms >= 200


def test_goals_are_judged_on_the_time_and_memory_beside_memray() -> None:
    found = Collected()
    for side, wall_s, peak_mb in (
        (STATS, 10.0, 50.0),
        (FRAMES, 13.0, 900.0),
        (FLAMEGRAPH, 60.0, 400.0),
        (CHART, 20.0, 201.0),
    ):
        found.add(wall_of(NARROW), side, wall_s, "s")
        found.add(peak_of(NARROW), side, peak_mb, "MB")
    found.add(again_of(NARROW), AGAIN, 0.1, "s")

    goals = goals_of(found, NARROW)

    assert [goal.is_met for goal in goals] == [True, True, False, True]


def test_what_was_not_measured_is_neither_met_nor_missed() -> None:
    assert {goal.is_met for goal in goals_of(Collected(), NATIVE)} == {None}
