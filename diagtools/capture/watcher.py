"""Something that looks at a recording while it grows, in the recorder's own process."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

#: Is given the run folder; what it raises ends it, and not the recording.
Look = Callable[[Path], None]

_FIRST_S, _SPACING_S = 0.2, 1.0
_COST_SPACING = 50  # times what a look took passes before the next one: it runs beside the program


class Watcher:
    """Looks at most once a second, and for at most a fiftieth of the time: what looks need not spare itself."""

    def __init__(
        self, look: Look | None, folder: Path, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._look, self._folder, self._clock = look, folder, clock
        self._due_s = clock() + _FIRST_S
        self.problem = ""

    def look(self) -> None:
        """Look, if it is time."""
        began_s = self._clock()
        if self._look is None or began_s < self._due_s:
            return
        try:
            self._look(self._folder)
        except Exception as error:  # noqa: BLE001 - it stands beside the recording, which goes on
            self.problem = f"What was said beside the recording ended: {type(error).__name__}: {error}"
            self._look = None
        ended_s = self._clock()
        self._due_s = ended_s + max(_SPACING_S, _COST_SPACING * (ended_s - began_s))
