"""When does a forked worker end?  One of ``multiprocessing`` leaves without ``atexit``."""

# No "from __future__": it would be an import of the program.

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing is not imported into the program
    from collections.abc import Callable
    from typing import Any

_PRIORITY = -100  # after every finalizer of the program's own


def call_at_end(owner: "Any", close: "Callable[[], object]") -> None:
    """In a child that was just forked: have it called where that turns out to be a worker, and ends well.

    A worker drops all finalizers as it begins, and then calls what is registered here.
    """
    util = sys.modules.get("multiprocessing.util")
    if util is not None:
        util.register_after_fork(owner, lambda _: util.Finalize(None, close, exitpriority=_PRIORITY))
