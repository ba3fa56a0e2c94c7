"""Opens a capture as a notebook cell does: ``open_capture.py CAPTURE frames|chart|again`` prints JSON.

``frames`` opens it, ``chart`` draws it too, picture and all; ``again`` opens it when it was opened before.  In seconds,
the time of each step; then how many stacks hold memory, how much, and how large the notebook's output is.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

began = time.perf_counter()

from diagtools import open_profile  # noqa: E402 - the time of the import is told
from diagtools.profile import Profile  # noqa: E402

steps: dict[str, float] = {}


def done(step: str) -> None:
    """Notes the time since the step before."""
    steps[step] = time.perf_counter() - began - sum(steps.values())


def draw(profile: Profile) -> int:
    """How many bytes has the output of a cell that shows the chart?"""
    from diagtools import ProfileReport
    from diagtools.analyse.profiles.icicle import icicle
    from diagtools.present import renderer
    from diagtools.present.charts.icicle import allocation_icicle

    renderer.enable()
    done("import of the charts")
    shown = ProfileReport(profile).shown
    done("fold")
    placed = icicle(shown)
    done("layout")
    chart = allocation_icicle(placed)
    done("chart")
    bundle = chart._repr_mimebundle_(None, None)
    done("output with picture")
    return len(json.dumps(bundle).encode())


def main() -> None:
    """Does what it is asked."""
    path, mode = Path(sys.argv[1]), sys.argv[2]
    done("import")
    profile = open_profile(path)
    done("open")
    if mode == "again":
        profile = open_profile(path)
        done("open again")
    n_bytes = draw(profile) if mode == "chart" else 0
    n_stacks = profile.allocations["stack_id"].n_unique()
    print(json.dumps({"steps": steps, "stacks": n_stacks, "size": profile.total, "output_bytes": n_bytes}))


main()
