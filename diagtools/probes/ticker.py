"""Something is called again and again, in a thread of its own, until that is stopped."""

# No "from __future__": it would be an import of the program.

import os

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing is not imported into the program
    from collections.abc import Callable

_GONE_S, _GONE_LOOKS = 0.001, 50


class Ticker:
    """Calls something again and again in a thread of its own, until it is stopped."""

    def __init__(self, period_s: float, call: "Callable[[], None]") -> None:
        import _thread as threads  # `threading` would be a new module

        self._stopped, self._ended = threads.allocate_lock(), threads.allocate_lock()
        self._n_before = _n_threads()
        self._stopped.acquire()
        self._ended.acquire()
        try:
            threads.start_new_thread(self._run, (period_s, call))
        except RuntimeError:  # no more threads: then there is none to stop
            self._ended.release()

    def _run(self, period_s: float, call: "Callable[[], None]") -> None:
        try:
            while not self._stopped.acquire(True, period_s):
                call()
        except Exception:  # noqa: BLE001 - as the interpreter is taken apart
            pass
        finally:
            self._ended.release()

    def stop(self) -> None:
        """Once this returns, the thread is gone; the kernel has a moment to see it."""
        self._stopped.release()
        self._ended.acquire()
        for _ in range(_GONE_LOOKS):
            if _n_threads() <= self._n_before:
                return
            self._ended.acquire(True, _GONE_S)


def _n_threads() -> int:
    try:
        return len(os.listdir("/proc/self/task"))
    except OSError:
        return 0
