"""Lines without a time were written after the last look at their file: they are the newest."""

from __future__ import annotations

from diagtools import frames
from diagtools.analyse.findings import warning_finding
from diagtools.analyse.logs import last_lines
from diagtools.values import Cause, Death, Grade


def test_a_line_without_a_time_is_the_last() -> None:
    """It stands last, and a warning among such lines came right before the end."""
    logs = frames.LOGS.from_columns(
        {
            "t_s": [1.0, None, 2.0],
            "pid": [None] * 3,
            "stream": ["stderr"] * 3,
            "line": ["first", "WARNING last", "ERROR second"],
        }
    )
    assert last_lines(logs, 2) == ["ERROR second", "WARNING last"]
    death = Death(cause=Cause.SIGNAL, grade=Grade.PROVEN, evidence=("x",), t_s=3.0)
    found = warning_finding(logs, death)
    assert found is not None
    assert found.sentence == "The last warning or error in the log came right before the end: 'WARNING last'."
