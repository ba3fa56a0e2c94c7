"""Programs that hold memory hold what they say."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from workloads.holding.__main__ import PROGRAMS, main

ROOT = Path(__file__).resolve().parents[2]
MIB = 2**20
SIZE = 48 * MIB

#: Runs a program, and says how much more RSS, of which kind, its process has then.
CODE = """
import re, sys
from pathlib import Path
from importlib import import_module
program = import_module("workloads.holding." + sys.argv[1])
def resident():
    text = Path("/proc/self/status").read_text()
    return [int(number) << 10 for number in re.findall(r"^Rss\\w+:\\s+(\\d+)", text, re.M)]
before = resident()
print(program.hold(int(sys.argv[2])))
print(*(after - each for each, after in zip(before, resident())))
"""


def held(program: str) -> tuple[str, int, int]:
    """What it says, and by how much its anonymous memory and its file pages grew."""
    done = subprocess.run(
        [sys.executable, "-c", CODE, program, str(SIZE)], capture_output=True, text=True, check=True, cwd=ROOT
    )
    said, sizes = done.stdout.strip().splitlines()
    anonymous, files, _ = map(int, sizes.split())
    return said, anonymous, files


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux")
class TestWhatIsHeld:
    def test_only_what_was_touched_of_an_array_is_resident(self) -> None:
        said, anonymous, _ = held("arrays")
        assert said.startswith(f"{5 * SIZE} bytes asked for, {2 * SIZE} ")
        assert abs(anonymous - 2 * SIZE) < 4 * MIB

    def test_fragments_keep_far_more_than_is_in_use(self) -> None:
        said, anonymous, _ = held("fragments")
        kept, n = map(int, re.findall(r"\d+", said))
        assert kept < 0.03 * n
        assert anonymous > SIZE

    def test_mapped_weights_are_pages_of_their_file(self) -> None:
        said, anonymous, files = held("weights")
        assert said == f"{SIZE} bytes mapped, sum {SIZE // 4}"
        assert files >= SIZE
        assert anonymous < 8 * MIB

    def test_an_arena_keeps_the_room_of_its_largest_batch(self) -> None:
        _, anonymous, _ = held("arena")
        assert anonymous > SIZE // 2

    @pytest.mark.parametrize("program", ["cache", "registry"])
    def test_objects_that_are_kept(self, program: str) -> None:
        _, anonymous, _ = held(program)
        assert SIZE < anonymous < 3 * SIZE


@pytest.mark.parametrize("arguments", [["nothing"], ["arrays", "--mib", "0"]])
def test_wrong_use(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
    assert "error" in capsys.readouterr().err


def test_each_program_is_there() -> None:
    files = {path.stem for path in (ROOT / "workloads" / "holding").glob("*.py")}
    assert set(PROGRAMS) == files - {"__init__", "__main__"}
