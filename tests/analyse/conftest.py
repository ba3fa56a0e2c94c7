"""Small frames from rows; what a test does not name is unknown or usual."""

from types import SimpleNamespace

import pytest

from diagtools import frames
from diagtools.frames import SNAPSHOT_TIMES


def _frame(declared, rows, usual):
    filled = [{**usual, **row} for row in rows]
    return declared.from_columns({name: [row.get(name) for row in filled] for name in declared.columns})


def timeline(*rows, pid=1):
    """TIMELINE of (t_s, rss), (t_s, rss, pid) or dicts."""
    named = [
        row if isinstance(row, dict) else dict(zip(("t_s", "rss_bytes", "pid"), row, strict=False))
        for row in rows
    ]
    return _frame(frames.TIMELINE, named, {"pid": pid})


def snapshot_times(*rows, pid=1):
    """SNAPSHOT_TIMES of (instrument, begin_s, end_s)."""
    named = [
        dict(zip(("instrument", "begin_s", "end_s"), row, strict=True)) | {"index": index}
        for index, row in enumerate(rows)
    ]
    return _frame(SNAPSHOT_TIMES, named, {"pid": pid})


def tree(*rows):
    """TREE of (t_s, bytes in use)."""
    named = [{"t_s": t_s, "rss_bytes": used, "used_bytes": used} for t_s, used in rows]
    return _frame(frames.TREE, named, {"n_processes": 1})


def system(*rows):
    """SYSTEM of dicts."""
    return _frame(frames.SYSTEM, rows, {})


def events(*rows):
    """EVENTS of (t_s, kind), (t_s, kind, value) or (t_s, kind, value, second)."""
    names = ("t_s", "kind", "value", "second")
    return _frame(frames.EVENTS, [dict(zip(names, row, strict=False)) for row in rows], {"pid": 1})


def markers(*rows, kind="item"):
    """MARKERS of (t_s, edge, name, index) and, as a dict at the end, any other column."""
    named = []
    for row in rows:
        more = row[-1] if isinstance(row[-1], dict) else {}
        named.append(dict(zip(("t_s", "edge", "name", "index"), row[:4], strict=True)) | more)
    for row in named:
        if "features" in row:
            row["features"] = [{"name": name, "value": value} for name, value in row["features"].items()]
        if row["edge"] == "end":
            row.setdefault("status", "ok")
    return _frame(frames.MARKERS, named, {"pid": 1, "tid": 1, "kind": kind})


def processes(*rows):
    """PROCESSES of (pid, ended_s, exit_status)."""
    named = [dict(zip(("pid", "ended_s", "exit_status"), row, strict=True)) for row in rows]
    return _frame(frames.PROCESSES, named, {"started_s": 0.0})


def items(*rows):
    """ITEMS of dicts; ``features`` as a dict."""
    named = []
    for index, row in enumerate(rows):
        features = [{"name": name, "value": value} for name, value in row.get("features", {}).items()]
        begin_s = row.get("begin_s", float(index))
        named.append(
            {"index": index, "begin_s": begin_s, "end_s": begin_s + 1.0} | row | {"features": features}
        )
    return _frame(frames.ITEMS, named, {"pid": 1, "tid": 1, "status": "ok"})


def logs(*rows):
    """LOGS of (t_s, line) or (t_s, line, stream)."""
    return _frame(
        frames.LOGS,
        [dict(zip(("t_s", "line", "stream"), row, strict=False)) for row in rows],
        {"stream": "stderr"},
    )


def corpus(*rows):
    """CORPUS of dicts: a small file of usual shape with what the row names changed."""
    usual = {
        "path": "a.py",
        "size_bytes": 900,
        "longest_line": 90,
        "n_lines": 30,
        "mean_line": 30.0,
        "space_share": 0.2,
    }
    return _frame(frames.CORPUS, rows, usual)


def pairs(*rows, metric="peak_rss_bytes"):
    """PAIRS of (pair, variant, outcome, value) and optionally the item in flight; one run a row."""
    named = []
    for pair, variant, outcome, value, *item in rows:
        named.append(
            {
                "pair": pair,
                "variant": variant,
                "outcome": outcome,
                "value": value,
                "run": f"{variant}-{pair}",
                "item_in_flight": item[0] if item else None,
            }
        )
    return _frame(frames.PAIRS, named, {"metric": metric, "order": 0})


@pytest.fixture(scope="session")
def build():
    """The builders above, by name."""
    return SimpleNamespace(
        timeline=timeline,
        snapshot_times=snapshot_times,
        tree=tree,
        system=system,
        events=events,
        markers=markers,
        processes=processes,
        items=items,
        logs=logs,
        corpus=corpus,
        pairs=pairs,
    )
