"""Imports what has native code and works with it: ``native_work.py ROUNDS``.  pandas, or what Python has of its own."""

from __future__ import annotations

import importlib
import importlib.util
import json
import sys
from decimal import Decimal
from typing import Any

ROWS = 20_000


def with_pandas(n_rounds: int) -> list[object]:
    """Frames that are grouped, sorted and joined."""
    pandas: Any = importlib.import_module("pandas")
    frame = pandas.DataFrame({"key": [str(row % 997) for row in range(ROWS)], "value": range(ROWS)})
    found: list[object] = []
    for _ in range(n_rounds):
        sums = frame.groupby("key").sum().sort_values("value").reset_index()
        found.append(frame.merge(sums, on="key"))
    return found


def without(n_rounds: int) -> list[object]:
    """Decimals and JSON, both written in C."""
    rows = [{"key": str(row), "value": [row] * 5} for row in range(ROWS // 10)]
    return [(Decimal(number + 2).sqrt(), json.loads(json.dumps(rows))) for number in range(n_rounds)]


has_pandas = sys.argv[2:] != ["plain"] and importlib.util.find_spec("pandas") is not None
kept = (with_pandas if has_pandas else without)(int(sys.argv[1]))
