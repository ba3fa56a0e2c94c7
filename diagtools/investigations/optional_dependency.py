"""What does an optional dependency cost whoever imports a package: as it is, waiting, and not installed?"""

from __future__ import annotations

from diagtools.analyse.import_graph import chain
from diagtools.analyse.import_story import tried_sentence
from diagtools.analyse.imports import OK
from diagtools.investigations.import_cost import import_cost, statement_of
from diagtools.investigations.import_verify import verify_imports
from diagtools.investigations.import_without import without
from diagtools.present.imports import place
from diagtools.present.prose import Prose
from diagtools.present.wording import count
from diagtools.units import format_bytes


def optional_dependency(target: str, package: str, *, repeat: int = 3, pairs: int = 2) -> Prose:
    """What does an optional dependency cost whoever imports this, lazy and not installed?  Measured, a sentence each.

    ``package`` is named as it is imported.  Raises ``UsageError`` for a target that cannot be imported.
    """
    statement = statement_of(target)
    cost = import_cost(target, repeat=repeat)
    whole = f"'{cost.target}' costs {format_bytes(cost.total['anon_bytes'])} of memory of its own"
    is_there = not cost.imports.filter(module=package, status=OK).is_empty()
    steps = [row for row in chain(cost.edges, package).iter_rows(named=True) if row["line"]]
    if not is_there or not steps:
        return Prose([f"{whole}; '{package}' is not imported here."])
    at = f"{steps[-1]['file']}:{steps[-1]['line']}"
    (lazy,) = verify_imports(cost, [statement], at=at, pairs=pairs)
    left_out = without(cost, [statement], [package], pairs=pairs)
    measured = format_bytes(left_out.result.saved_anon_bytes)
    why = f" ({left_out.why})" if left_out.why else ""
    return Prose(
        [
            f"{whole}, and imports '{package}' at {place(at)}, {count(len(steps), 'statement')} away.",
            tried_sentence(lazy),
            f"Without '{package}' installed the same costs {measured} less, measured: {left_out.verdict}{why}.",
        ],
        heading=f"{package} in {target}",
    )
