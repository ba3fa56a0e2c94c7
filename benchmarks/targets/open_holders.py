"""Opens the last snapshot of objects in a run, up to the table of holders: ``open_holders.py RUN`` prints JSON.

In seconds, the time of each step; then how many objects there are and what they take, how long the program stood still,
and the first rows of the table.
"""

from __future__ import annotations

import json
import sys
import time

began = time.perf_counter()

from diagtools.analyse.holders.holding import holders  # noqa: E402 - the time of the import is told
from diagtools.run import Run  # noqa: E402

steps: dict[str, float] = {}


def done(step: str) -> None:
    """Notes the time since the step before."""
    steps[step] = time.perf_counter() - began - sum(steps.values())


def main() -> None:
    """Does what it is asked."""
    done("import")
    run = Run.open(sys.argv[1])
    head = run.object_snapshots[-1]
    graph = run.object_graph(head)
    done("read")
    table = holders(graph)
    done("holders")
    told = {
        "steps": steps,
        "n_objects": graph.nodes.height,
        "total_bytes": graph.total_bytes,
        "sum_bytes": int(table["retained_bytes"].sum()),
        "pause_s": graph.pause_s,
        "file_bytes": head.n_stored_bytes,
        "first": table.head(3).select("root", "path", "type", "n_objects", "retained_bytes").to_dicts(),
    }
    print(json.dumps(told))


main()
