"""Which lines left memory behind, where there is no memray?"""

from __future__ import annotations

from pathlib import Path

import pytest

from diagtools.probes import leak_lines
from diagtools.probes.leak_traces import Traces
from tests.support.interpreters import every_python
from tests.support.leak_programs import leaking
from tests.support.leak_runs import checked


@every_python
@pytest.mark.parametrize("name", ["leaks:dict_by_text", "leaks:loggers_by_request", "async_leaks:results"])
def test_what_calls_leave_is_at_their_line(name: str, python: str, tmp_path: Path) -> None:
    target = f"tests.support.leaky.{name}"
    log = checked(target, tmp_path / "run", python=python, mode="traces", stages=[400])
    first = log.lines.row(0, named=True)
    assert f"{Path(first['file']).name}:{first['line']}" in leaking()[target]
    assert first["n_calls"] == 400
    assert first["bytes"] >= 400 * 64
    assert not any("diagtools/probes" in frame for frame in first["stack"])


class _Told:
    """What the tracer would say."""

    def __init__(self) -> None:
        self.traces: list[tuple[int, int, tuple[tuple[str, int], ...], int]] = []

    def is_tracing(self) -> bool:
        return True

    def _get_traces(self) -> list[tuple[int, int, tuple[tuple[str, int], ...], int]]:
        return self.traces


def test_only_what_is_more_than_before_and_none_of_ours() -> None:
    ours = (leak_lines.__file__, 5)
    told, traces = _Told(), Traces(leak_lines)
    traces._tracer = told
    told.traces = [(0, 100, (("a.py", 1),), 1), (0, 50, (("b.py", 2),), 1)]
    traces.begin()
    told.traces = [
        (0, 100, (("a.py", 1),), 1),
        (0, 90, (("b.py", 2), ours), 2),
        (0, 7, (ours, ("b.py", 2)), 2),
        (0, 30, (("c.py", 3), ("b.py", 9)), 2),
    ]
    rows = traces.rows()
    field, frame = leak_lines.FIELDS, leak_lines.FRAMES
    assert rows == [
        (40, field.join(("", "b.py", "2"))),
        (30, frame.join((field.join(("", "c.py", "3")), field.join(("", "b.py", "9"))))),
    ]
