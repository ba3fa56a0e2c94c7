"""What do the counters of many calls say?  ``python -m diagtools.investigations.counted_calls FOLDER`` prints it.

A test process counts, and imports nothing of what this needs.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from diagtools.analyse.leaks import leak_verdict
from diagtools.read.leaks import read_leaks


def judged(folder: Path) -> dict[str, str]:
    """The verdict on the ``leaks.log`` of this folder, and a sentence of why.  Raises as ``read_leaks``."""
    found = leak_verdict(read_leaks(folder))
    amount = "" if found.bytes_per_call is None else f" {found.bytes_per_call:,.0f} B a call"
    return {"verdict": str(found.verdict), "text": f"{found.verdict}:{amount}. {found.reason}"}


if __name__ == "__main__":
    print(json.dumps(judged(Path(sys.argv[1]))))
