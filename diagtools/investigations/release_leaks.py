"""Does a function leak with this release of a package?"""

from __future__ import annotations

from collections.abc import Sequence

from diagtools.analyse.bisect import Side
from diagtools.analyse.leaks import Leaking
from diagtools.analyse.sides import Judged, Seen
from diagtools.errors import UsageError
from diagtools.investigations.leaks import leaks
from diagtools.investigations.release_judges import EachAlone
from diagtools.values import Changes, Overlay, Target

LEAK = "leak"
#: What a release is called by: the verdict is the judge, this figure is shown beside it.
_METRIC = "bytes per call"
_SIDES = {Leaking.LEAK: Side.BAD, Leaking.CLEAN: Side.GOOD, Leaking.BOUNDED: Side.GOOD}


def by_leak(command: Target | Sequence[str] | str, *, python: str) -> EachAlone:
    """Asks the leak check of one function, ``MOD:FUNC``, which is the whole command.

    A release with which the function cannot be called cannot be run.  Raises ``UsageError`` for more words than one.
    """
    target = command if isinstance(command, Target) else None
    words = [command] if isinstance(command, str) else list(target.argv if target else command)  # type: ignore[arg-type]
    if len(words) != 1:
        raise UsageError(
            "A leak is looked for in one function.",
            hint="name it: diagtools bisect … --metric leak -- MOD:FUNC",
        )

    def ask(overlay: Overlay) -> Judged:
        try:
            found = leaks(
                words[0],
                python=python,
                env=target.env if target else None,
                cwd=target.cwd if target else None,
                changes=Changes(overlay=overlay),
                explain=False,
            )
        except UsageError as error:
            return Judged(side=Side.BROKEN, reason=error.message)
        unused = next((one.why for one in found.run.changes if not one.is_applied), "")
        if unused:
            return Judged(side=Side.BROKEN, reason=unused)
        side = _SIDES.get(found.verdict, Side.UNCLEAR)
        per_call = found.bytes_per_call if side is Side.BAD else 0.0
        return Judged(
            side=side,
            reason=found.found.reason,
            seen=Seen(values=() if per_call is None else (per_call,)),
        )

    return EachAlone(ask, _METRIC)
