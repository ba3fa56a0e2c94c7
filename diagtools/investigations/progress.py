"""What a long investigation is doing right now, for whoever waits: a notebook's reader or a terminal's."""

from __future__ import annotations

import os
import sys
from pathlib import Path

#: Names a file that gets each line; ``diagtools investigate`` sets it and shows the lines as they come.
VARIABLE = "DIAGTOOLS_PROGRESS"


class Progress:
    """Shows one line at a time, in place; leaves nothing behind but what the caller displays itself."""

    def __init__(self) -> None:
        self._file = os.environ.get(VARIABLE)
        self._handle: object = None

    def say(self, text: str) -> None:
        """Shows this line now."""
        if self._file:
            with Path(self._file).open("a", encoding="utf-8") as file:
                file.write(text + "\n")
        elif _in_notebook():
            self._update(text)
        elif sys.stderr.isatty():
            print(text, file=sys.stderr)

    def done(self, text: str) -> None:
        """Leaves this as the last, static line."""
        self.say(text)

    def _update(self, text: str) -> None:
        from IPython.display import DisplayHandle

        bundle = {"text/plain": text}
        if isinstance(self._handle, DisplayHandle):
            self._handle.update(bundle, raw=True)
        else:
            self._handle = DisplayHandle()
            self._handle.display(bundle, raw=True)


def _in_notebook() -> bool:
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return shell is not None and type(shell).__name__ == "ZMQInteractiveShell"
