"""What a reader has gathered, as a ``Profile`` whose frames are as declared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import polars as pl

from diagtools import frames
from diagtools.profile import Profile, Source, Unit, View
from diagtools.read.profiles.call_tree import CallTree, Place
from diagtools.read.profiles.locations import located
from diagtools.values import Validity


@dataclass(slots=True)
class Gathered:
    """Allocations as they are read: a tree of calls and one row an allocation record."""

    tree: CallTree = field(default_factory=CallTree)
    stack_ids: list[int] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)
    allocators: list[str] = field(default_factory=list)
    pids: list[int | None] = field(default_factory=list)
    threads: list[str] = field(default_factory=list)

    def add(
        self,
        stack: Sequence[Place],
        size: int,
        *,
        n: int = 1,
        allocator: str = "",
        pid: int | None = None,
        thread: str = "",
    ) -> None:
        """Adds what this stack (outermost frame first) asked for."""
        self.add_to(self.tree.add(stack), size, n=n, allocator=allocator, pid=pid, thread=thread)

    def add_to(
        self,
        stack_id: int,
        size: int,
        *,
        n: int,
        allocator: str = "",
        pid: int | None = None,
        thread: str = "",
    ) -> None:
        """Adds to a stack that the tree has already."""
        self.stack_ids.append(stack_id)
        self.sizes.append(size)
        self.counts.append(n)
        self.allocators.append(allocator)
        self.pids.append(pid)
        self.threads.append(thread)

    def profile(
        self,
        *,
        name: str,
        source: Source,
        view: View,
        unit: Unit,
        lifetimes: pl.DataFrame | None = None,
        tracked: pl.DataFrame | None = None,
        validity: tuple[Validity, ...] = (),
    ) -> Profile:
        """All that was added, records of the same stack, allocator, process and thread summed."""
        rows = pl.DataFrame(
            {
                "stack_id": pl.Series(self.stack_ids, dtype=pl.Int64),
                "size": pl.Series(self.sizes, dtype=pl.Int64),
                "n_allocations": pl.Series(self.counts, dtype=pl.Int64),
                "allocator": pl.Series(self.allocators, dtype=pl.String),
                "pid": pl.Series(self.pids, dtype=pl.Int64),
                "thread": pl.Series(self.threads, dtype=pl.String),
            }
        )
        summed = (
            rows.group_by("stack_id", "allocator", "pid", "thread", maintain_order=True)
            .agg(pl.col("size", "n_allocations").sum())
            .with_columns(kind=pl.lit(str(view)), unit=pl.lit(str(unit)))
        )
        return Profile(
            name=name,
            source=source,
            view=view,
            unit=unit,
            allocations=frames.ALLOCATIONS.check(summed.select(list(frames.ALLOCATIONS.columns))),
            stacks=self.tree.stacks(),
            locations=located(self.tree.places()),
            lifetimes=lifetimes,
            tracked=tracked,
            validity=validity,
        )
