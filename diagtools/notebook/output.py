"""Shows in a notebook what another process prints, while it does."""

from __future__ import annotations

import codecs
import sys
import threading
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import TextIO

_PERIOD_S = 0.05
#: More of one stream than this would make the notebook unusable; the log has all of it.
_SHOWN_BYTES = 1 << 20


class Shown:
    """While entered, and at the end to the last line, copies both logs of a run to this process's own streams.

    Not through descriptors: in a kernel those may lead to its own log, and what comes that way may come too late.
    """

    def __init__(self, folder: Path, *, stdout: bool = True, stderr: bool = True) -> None:
        streams = [(stdout, "stdout.log", sys.stdout), (stderr, "stderr.log", sys.stderr)]
        self._logs = [_Log(folder / name, stream) for is_wanted, name, stream in streams if is_wanted]
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="diagtools-output", daemon=True)

    def __enter__(self) -> Shown:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()
        for log in self._logs:
            log.close()

    def _run(self) -> None:
        while not self._ended.wait(_PERIOD_S):
            self._forward()
        self._forward()

    def _forward(self) -> None:
        for log in self._logs:
            log.forward()


class _Log:
    """One log on its way into the notebook."""

    def __init__(self, path: Path, stream: TextIO) -> None:
        self._path = path
        self._stream = stream
        self._file: FileIO | None = None
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._left = _SHOWN_BYTES

    def forward(self) -> None:
        """Shows what has been written since the last call."""
        if self._file is None:
            try:
                self._file = self._path.open("rb", buffering=0)
            except OSError:  # not there yet
                return
        while self._left > 0 and (piece := self._file.read(min(self._left, 1 << 16))):
            self._left -= len(piece)
            self._show(self._decoder.decode(piece))
            if self._left <= 0 and self._file.read(1):
                self._show(f"\n… more than a notebook should show: it is whole in '{self._path}'.\n")

    def _show(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()

    def close(self) -> None:
        """Ends with what half a character stands for."""
        self._show(self._decoder.decode(b"", final=True))
        if self._file is not None:
            self._file.close()
