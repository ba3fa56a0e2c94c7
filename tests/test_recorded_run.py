"""The recorded killed run that ships with us: reading, analysis and charts without a target."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from diagtools.investigations import places
from diagtools.investigations.explain import explain
from diagtools.present.renderer import draw_png
from diagtools.redact import redact_text
from diagtools.run import Run
from diagtools.values import Cause, Grade

KILLER = "widgetsnbextension/static/extension.js"


@pytest.fixture(scope="module")
def run() -> Run:
    """The run as it lies in ``data``."""
    return Run.open(places.data() / "runs" / "incident-killed")


def test_it_is_what_was_recorded(run: Run) -> None:
    """Sizes and checksums fit, the recorder closed it, and no sample is damaged."""
    assert run.verify() == ()
    assert [validity for validity in run.validity if validity.state != "starved"] == []


def test_it_tells_the_incident(run: Run) -> None:
    """A proven kill at 2 GiB in file 196 of 262, which asked for most."""
    assert run.death is not None
    assert (run.death.cause, run.death.grade) == (Cause.WATCHDOG, Grade.PROVEN)
    assert run.exit_status == 137
    assert run.item_in_flight == KILLER
    assert run.items.height == 196
    assert explain(run).by_item["key"][0] == KILLER
    assert any("using fixed chunking" in line for line in run.last_log_lines())


def test_parts_sum_to_the_growth(run: Run) -> None:
    """Items, folders and what is unattributed."""
    shown = explain(run).as_json()
    for parts in ("items", "folders"):
        total = sum(part["delta_bytes"] for part in shown[parts]) + shown["unattributed_bytes"]
        assert total == explain(run).growth_bytes


def test_its_picture_can_be_drawn(run: Run) -> None:
    """The picture of the README."""
    assert draw_png(explain(run).chart().to_dict()).startswith(b"\x89PNG")


def test_it_is_small_and_tells_nothing_of_the_machine(run: Run) -> None:
    """Below 1 MB; nothing to redact in its text, and no absolute path."""
    assert sum(path.stat().st_size for path in run.path.iterdir()) < 1_000_000
    for name in ("run.json", "stderr.log", "stdout.log"):
        text = Path(run.path / name).read_text(encoding="utf-8")
        assert redact_text(text) == text
        assert re.search(r"(?<![\w./])/(?:home|root|work|tmp|usr)/", text) is None
    assert json.loads((run.path / "run.json").read_text(encoding="ascii"))["argv"][0] == "python"
