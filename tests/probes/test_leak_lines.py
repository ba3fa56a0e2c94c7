"""At which line does more come to be in use?"""

from __future__ import annotations

from pathlib import Path

from diagtools.frames import LEAK_LINES
from diagtools.probes.leak_lines import FIELDS, FRAMES, Lines
from tests.support.interpreters import every_python
from tests.support.leak_programs import leaking
from tests.support.leak_runs import checked

TARGET = "tests.support.leaky.leaks:c_malloc"


@every_python
def test_a_malloc_by_its_address_is_found_at_its_line(python: str, tmp_path: Path) -> None:
    log = checked(TARGET, tmp_path / "run", python=python, mode="lines", stages=[400])
    first = LEAK_LINES.check(log.lines).row(0, named=True)
    assert first["file"].endswith("tests/support/leaky/leaks.py")
    assert f"leaks.py:{first['line']}" in leaking()[TARGET]
    assert (first["n_calls"], first["function"]) == (200, "c_malloc")
    assert 200 * 112 <= first["bytes"] < 205 * 112  # a chunk of 100 bytes, with its header
    assert len(first["stack"]) == 1


def test_what_a_line_takes_is_what_was_counted_while_it_ran() -> None:
    in_use = 0

    def take(n: int) -> None:
        nonlocal in_use
        in_use += n
        in_use += 0

    lines = Lines(lambda: in_use)
    take(1)
    lines.begin()
    for _ in range(2):
        take(100)
    lines.end()
    (n_bytes, stack), *more = lines.rows()
    assert n_bytes == 200
    assert more == []
    innermost = stack.split(FRAMES)[0].split(FIELDS)
    assert innermost[0] == "take"

    lines.begin()
    take(-50)
    lines.end()
    assert lines.rows() == []
