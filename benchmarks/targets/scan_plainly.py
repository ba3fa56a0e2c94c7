"""Walks a folder and reads each file as one would in a script: ``scan_plainly.py DIR`` prints JSON.

``os.walk``, ``open`` as text, ``splitlines``: files, bytes, lines and the longest line; no rules, no totals by folder.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path


def main() -> None:
    """Does what it is asked."""
    n_files = n_bytes = n_lines = longest = 0
    for folder, _, names in os.walk(sys.argv[1]):
        for name in names:
            path = Path(folder, name)
            lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
            n_files += 1
            n_bytes += path.stat().st_size
            n_lines += len(lines)
            longest = max(longest, max(map(len, lines), default=0))
    print(json.dumps({"files": n_files, "bytes": n_bytes, "lines": n_lines, "longest": longest}))


main()
