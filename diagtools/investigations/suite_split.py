"""The process that ``pytest --diag-suggest`` leaves its advice to: it is asked by a pipe, and prints lines."""

from __future__ import annotations

import sys

from diagtools.errors import DiagtoolsError
from diagtools.investigations.suite_split_advice import advise
from diagtools.investigations.suite_split_asked import Asked
from diagtools.investigations.suite_split_lines import advice_lines


def main() -> int:
    """Advises on the session that is described on the standard input; the exit status is 1 where that fails."""
    try:
        for line in advice_lines(advise(Asked.from_json(sys.stdin.read()))):
            print(line)
    except (DiagtoolsError, OSError) as error:
        print(f"diagtools: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
