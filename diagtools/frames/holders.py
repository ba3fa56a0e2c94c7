"""The frames of a snapshot of a program's objects, and of what is found in it: who keeps what alive?

A *node* is an object: its row in GRAPH_NODES, from 0.  ``size_bytes`` is what the object itself takes, ``retained``
what would be freed with it: itself and all that every way from the program's roots leads through it.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from diagtools.frames.frame import FLAG, INT, TEXT, Frame
from diagtools.values import Validity

#: One row an object.  ``type_id`` is a row of GRAPH_TYPES; ``n_references``: the reference count, null where unknown.
GRAPH_NODES = Frame("GRAPH_NODES", {"type_id": INT, "size_bytes": INT, "n_references": INT})

#: One row a reference of one object to another; more than once, where it refers to it more than once.
GRAPH_EDGES = Frame("GRAPH_EDGES", {"source": INT, "target": INT})

#: One row a type: ``node`` is null where the type itself is none of the objects; ``type`` is ``module.name``, without
#: ``builtins``; ``is_ours`` where the recording brought it.
GRAPH_TYPES = Frame(
    "GRAPH_TYPES", {"type_id": INT, "node": INT, "type": TEXT, "module": TEXT, "is_ours": FLAG}
)

#: One row a reference that has a name: ``owner`` is null for what the interpreter itself holds; ``how`` as in
#: ``probes.graph_names``.
GRAPH_NAMES = Frame("GRAPH_NAMES", {"owner": INT, "target": INT, "how": TEXT, "name": TEXT})

#: One row an object that has a name of its own, or is where others have theirs.  ``kind``: module, module dict, class,
#: frame, and those of ``probes.graph_names.KINDS``; ``name`` with its module; ``detail`` what else is worth saying.
GRAPH_MARKS = Frame("GRAPH_MARKS", {"node": INT, "kind": TEXT, "name": TEXT, "detail": TEXT})

#: One row a type, the largest retained first.  ``retained_bytes`` of all objects of the type together: what hangs on
#: one below another is counted once.
OBJECTS = Frame("OBJECTS", {"type": TEXT, "n_objects": INT, "shallow_bytes": INT, "retained_bytes": INT})

#: One row a holder: who keeps these objects alive.  Each object is in one row, so that the rows sum to the whole.
#: ``root``: the holder's name; ``kind``: global, class attribute, lru_cache, local, … or why it has no name;
#: ``path``: from the root to where most of it lies; ``type``: what most of it is; ``shared_with``: who holds the same
#: objects too: all of them must go.
HOLDERS = Frame(
    "HOLDERS",
    {
        "root": TEXT,
        "kind": TEXT,
        "path": TEXT,
        "type": TEXT,
        "n_objects": INT,
        "retained_bytes": INT,
        "shared_with": pl.List(pl.String),
    },
)

#: One row a type of objects whose reference count is above the references that exist, most of them first.
#: ``n_held``: of these, how many nothing visible leads to; ``retained_bytes`` is what those keep alive.
#: ``is_suspect``: more than a program's own C code explains.
OVER_REFERENCED = Frame(
    "OVER_REFERENCED",
    {
        "type": TEXT,
        "n_objects": INT,
        "n_excess": INT,
        "n_held": INT,
        "most_excess": INT,
        "retained_bytes": INT,
        "is_suspect": FLAG,
    },
)

#: One row a holder of either of two snapshots, what grew most first; ``before`` and ``after`` are 0 where it was not
#: there.  The rows sum to the growth of the whole.
HOLDER_GROWTH = Frame(
    "HOLDER_GROWTH",
    {
        "root": TEXT,
        "kind": TEXT,
        "path": TEXT,
        "type": TEXT,
        "before_bytes": INT,
        "after_bytes": INT,
        "delta_bytes": INT,
        "before_n": INT,
        "after_n": INT,
        "shared_with": pl.List(pl.String),
    },
)

#: One row a type: what two snapshots have of it.
OBJECT_GROWTH = Frame(
    "OBJECT_GROWTH",
    {
        "type": TEXT,
        "before_n": INT,
        "after_n": INT,
        "before_bytes": INT,
        "after_bytes": INT,
        "delta_bytes": INT,
    },
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, weakref_slot=True)
class ObjectGraph:
    """The objects of one process at one moment, and how they refer to each other.

    ``t_s`` is seconds from the run's start, null where that is not known; ``pause_s`` how long the program stood still
    for it; ``n_unseen`` how many references led to objects that are not among the nodes.
    """

    pid: int
    index: int
    t_s: float | None
    kind: str
    edge: str
    label: str
    python: str
    pause_s: float
    n_threads: int
    n_unseen: int
    counts_references: bool
    nodes: pl.DataFrame
    edges: pl.DataFrame
    types: pl.DataFrame
    names: pl.DataFrame
    marks: pl.DataFrame
    validity: tuple[Validity, ...] = ()

    @property
    def total_bytes(self) -> int:
        """What all objects take together."""
        return int(self.nodes["size_bytes"].sum())

    @property
    def moment(self) -> str:
        """When in the program it was taken: ``phase end``, ``exit``."""
        return f"{self.kind} {self.edge}".strip()
