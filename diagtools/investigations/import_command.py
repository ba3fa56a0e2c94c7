"""What do the Python processes of a command import, and at what cost?"""

from __future__ import annotations

import tempfile
from collections import defaultdict
from pathlib import Path

from diagtools.capture.imports import capture_command_imports
from diagtools.errors import UsageError
from diagtools.investigations.import_cost import joined
from diagtools.investigations.measured_imports import ImportCost
from diagtools.investigations.progress import Progress
from diagtools.read.imports import ImportLog, read_imports
from diagtools.values import Target

#: A process of a command: its command line, and which of those that have the same it is.
_Key = tuple[str, int]


def command_import_cost(target: Target, *, repeat: int = 1, timeout_s: float = 3600.0) -> list[ImportCost]:
    """What do the Python processes that this command starts import, those that import most first?

    The command runs ``repeat`` times for the costs, and once for the graph; processes of the same command line are the
    same, in order of their start.  Raises ``StartError`` where it cannot be started, and ``NoDataError`` where no
    process of it can be seen.
    """
    if repeat < 1:
        raise UsageError(f"repeat={repeat} measures nothing.", hint="repeat=3 shows the spread too.")
    progress = Progress()
    logs: dict[_Key, list[ImportLog]] = defaultdict(list)
    paths: dict[_Key, list[Path]] = defaultdict(list)
    with tempfile.TemporaryDirectory(prefix="diagtools-") as folder:
        for number in range(repeat):
            progress.say(f"running the command, {number + 1} of {repeat} …")
            path = capture_command_imports(target, Path(folder) / str(number), timeout_s=timeout_s)
            for key, log in _by_key(read_imports(path)).items():
                logs[key].append(log)
                paths[key].append(path)
        progress.say("running it once more, for the graph …")
        again = capture_command_imports(target, Path(folder) / "graph", graph=True, timeout_s=timeout_s)
        graphs = _by_key(read_imports(again))
        found = [joined(logs[key], graphs.get(key, graphs.get((key[0], 0))), paths[key]) for key in logs]
    return sorted(found, key=lambda cost: -cost.total["anon_bytes"])


def _by_key(logs: list[ImportLog]) -> dict[_Key, ImportLog]:
    counts: dict[str, int] = defaultdict(int)
    found = {}
    for log in logs:
        found[log.command, counts[log.command]] = log
        counts[log.command] += 1
    return found
