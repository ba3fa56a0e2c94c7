"""Small profiles for tests, made from stacks that are written down, and any number of them for properties."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import polars as pl
from hypothesis import strategies as st

from diagtools import frames
from diagtools.profile import Profile, Source, Unit, View
from diagtools.read.profiles.assemble import Gathered
from diagtools.read.profiles.call_tree import Place

SITE = "/usr/lib/python3.11/site-packages"

#: Frames of which stacks are made: own code, a package, the import system and a runner.
MAIN: Place = ("main", "/srv/app/main.py", 10)
LOAD: Place = ("load", "/srv/app/data/load.py", 20)
LOAD_LATER: Place = ("load", "/srv/app/data/load.py", 25)
READ: Place = ("read_csv", f"{SITE}/polars/io/csv.py", 123)
PACKAGE: Place = ("<module>", f"{SITE}/polars/__init__.py", 2)
IMPORT: Place = ("_find_and_load", "<frozen importlib._bootstrap>", 1000)
EXEC: Place = ("exec_module", "<frozen importlib._bootstrap_external>", 900)
RUNNER: Place = ("run_path", "<frozen runpy>", 300)
PLACES = (MAIN, LOAD, LOAD_LATER, READ, PACKAGE, IMPORT, EXEC, RUNNER)

#: Examples of a property that takes a while to compute.
FEW = 40

Row = tuple[Sequence[Place], int]


def profile(
    *rows: Row | tuple[Sequence[Place], int, str],
    name: str = "run",
    source: Source = Source.MEMRAY,
    view: View = View.PEAK,
    unit: Unit = Unit.BYTES,
) -> Profile:
    """A profile of (stack, size) or (stack, size, allocator); a stack's outermost frame first."""
    gathered = Gathered()
    for row in rows:
        gathered.add(row[0], row[1], allocator=row[2] if len(row) == 3 else "malloc")
    return gathered.profile(name=name, source=source, view=view, unit=unit)


def lived(*rows: tuple[Sequence[Place], int, float, float | None]) -> Profile:
    """A profile of (stack, size, begin, end): what lives at the end is what was leaked."""
    gathered = Gathered()
    ids = []
    for stack, size, _, end_s in rows:
        ids.append(gathered.tree.add(stack))
        if end_s is None:
            gathered.add_to(ids[-1], size, n=1, allocator="malloc")
    columns: dict[str, list[object]] = {
        "stack_id": list(ids),
        "begin_s": [float(row[2]) for row in rows],
        "end_s": [None if row[3] is None else float(row[3]) for row in rows],
        "size": [row[1] for row in rows],
        "n_allocations": [1] * len(rows),
        "allocator": ["malloc"] * len(rows),
        "pid": [None] * len(rows),
        "thread": [""] * len(rows),
    }
    return gathered.profile(
        name="run",
        source=Source.MEMRAY,
        view=View.LEAKED,
        unit=Unit.BYTES,
        lifetimes=frames.LIFETIMES.from_columns(columns),
    )


def held_by(stacks: Iterable[Row], frame: Place) -> int:
    """What the stacks in which a frame stands hold together, each once."""
    return sum(size for stack, size in stacks if frame in stack)


def by_key(frame: pl.DataFrame, *columns: str) -> dict[str, object]:
    """The rows by their key; one column as itself, several as a tuple."""
    rows = frame.select("key", *columns).rows()
    return {row[0]: row[1] if len(columns) == 1 else row[1:] for row in rows}


stacks = st.lists(st.sampled_from(PLACES), min_size=0, max_size=7)
rows = st.lists(st.tuples(stacks, st.integers(0, 1000)), max_size=12)
profiles = rows.map(lambda made: profile(*made))
lives = st.tuples(stacks, st.integers(0, 1000), st.integers(0, 9), st.none() | st.integers(1, 5)).map(
    lambda row: (row[0], row[1], row[2], None if row[3] is None else row[2] + row[3])
)
lived_profiles = st.lists(lives, max_size=12).map(lambda made: lived(*made))
