"""``objects.<pid>.<index>.graph``, as ``probes.holders`` writes it: a program's objects, and what refers to what."""

from __future__ import annotations

import re
import sys
import zlib
from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from diagtools import frames
from diagtools.errors import DamagedError
from diagtools.frames import ObjectGraph
from diagtools.probes import graph_columns as columns
from diagtools.probes import holders as probe
from diagtools.read.artefact import name_of, open_artefact
from diagtools.read.graph_sizes import with_values
from diagtools.read.graph_words import Words, fields, lines_of, number, text_of
from diagtools.values import State, Validity

_FILE = re.compile(r"objects\.(\d{1,9})\.(\d{1,9})\.graph")
_HEAD = re.compile(rb"([a-z]{1,10}) (\d{1,10}) (\d{1,10})\n")
_LONGEST_HEAD = 40
#: Of one section, unpacked: a program of 200 million references.
_MOST_BYTES = 1 << 31
_SIGNED = {"Q": "q", "I": "I"}
_NS = 1e9


def read_object_graphs(folder: Path, start_ns: int | None = None) -> list[ObjectGraph]:
    """Which objects did the processes of this run have, and when?  In the order of their times.

    ``start_ns`` is the zero of the run (CLOCK_MONOTONIC).  Raises ``DamagedError`` for a file that is not whole:
    the probe leaves none.
    """
    found = [read_object_graph(path, start_ns) for path in graph_files(folder)]
    return sorted(found, key=lambda graph: (graph.t_s is None, graph.t_s or 0.0, graph.pid, graph.index))


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """Of which process a snapshot is, when it was taken (CLOCK_MONOTONIC) and why."""

    pid: int
    index: int
    t_ns: int
    kind: str
    edge: str
    label: str


def read_about(path: Path) -> About:
    """Of what is this snapshot?  Only its beginning is read, and believed.  Raises ``DamagedError``."""
    file = open_artefact(path.parent, path.name)
    if file is None:
        raise _damaged(path, "it is gone")
    with file:
        if file.read(len(probe.MAGIC)) != probe.MAGIC:
            raise _damaged(path, "it is no snapshot of objects, or one of a newer version")
        match = _HEAD.fullmatch(file.readline(_LONGEST_HEAD))
        if match is None or match[1] != b"about" or max(int(match[2]), int(match[3])) > probe.PIECE:
            raise _damaged(path, "it was cut, or bits of it changed")
        data = _unpacked(file.read(int(match[3])), int(match[2]), path)
    return _about(dict(fields(line, 2) for line in lines_of(data)))


def _about(found: Mapping[bytes, bytes]) -> About:
    return About(
        pid=number(found.get(b"pid", b"")),
        index=number(found.get(b"index", b"")),
        t_ns=number(found.get(b"t_ns", b"")),
        kind=name_of(found.get(b"kind", b"")),
        edge=name_of(found.get(b"edge", b"")),
        label=text_of(found.get(b"label", b"")),
    )


def _type_ids(about: Mapping[bytes, bytes]) -> pl.Series:
    """The types whose instances keep attributes without a dict; none in a snapshot that does not say."""
    words = about.get(b"with_values", b"").split(b",")
    return pl.Series([number(word) for word in words if word], dtype=pl.Int64)


def _version(about: Mapping[bytes, bytes]) -> tuple[int, ...]:
    found = re.match(rb"(\d{1,3})\.(\d{1,3})", about.get(b"python", b""))
    return (int(found[1]), int(found[2])) if found else (0, 0)


def graph_files(folder: Path) -> list[Path]:
    """The snapshots of this run, by process and in their order."""
    matches = [(_FILE.fullmatch(entry.name), entry) for entry in folder.iterdir()]
    found = [(int(match[1]), int(match[2]), entry) for match, entry in matches if match]
    return [entry for _, _, entry in sorted(found)]


def read_object_graph(path: Path, start_ns: int | None = None) -> ObjectGraph:
    """The objects of one snapshot.  Raises ``DamagedError`` where it is not whole, or says what cannot be."""
    sections = _sections(path)
    about = dict(fields(line, 2) for line in lines_of(sections["about"]))
    numbers = {name: _numbers(sections[name], code, path) for name, code in columns.COLUMNS}
    nodes, keys = _nodes(numbers, path)
    words = Words(types=sections["types"], names=sections["names"], addresses=keys)
    nodes = words.with_giants(nodes)
    edges, n_unseen = _edges(numbers, keys)
    n_types = words.types.height
    if nodes["type_id"].max() is not None and int(nodes["type_id"].max()) >= n_types:  # type: ignore[arg-type]
        raise _damaged(path, f"it has types beyond the {n_types} that it names")
    when = _about(about)
    nodes = with_values(
        nodes,
        edges,
        types=_type_ids(about),
        dicts=words.types.filter(pl.col("type") == "dict")["type_id"],
        python=_version(about),
    )
    return ObjectGraph(
        pid=when.pid,
        index=when.index,
        t_s=None if start_ns is None else (when.t_ns - start_ns) / _NS,
        kind=when.kind,
        edge=when.edge,
        label=when.label,
        python=name_of(about.get(b"python", b"")),
        pause_s=number(about.get(b"pause_ns", b"")) / _NS,
        n_threads=number(about.get(b"n_threads", b"")),
        n_unseen=n_unseen,
        counts_references=about.get(b"counts") == b"1",
        nodes=frames.GRAPH_NODES.check(nodes),
        edges=frames.GRAPH_EDGES.check(edges),
        types=frames.GRAPH_TYPES.check(words.types),
        names=frames.GRAPH_NAMES.check(words.names),
        marks=frames.GRAPH_MARKS.check(words.marks),
        validity=_validity(about, n_unseen),
    )


def _sections(path: Path) -> dict[str, bytes]:
    """The sections, unpacked; none is believed where the sum at the end is another."""
    file = open_artefact(path.parent, path.name)
    if file is None:
        raise _damaged(path, "it is gone")
    found: dict[str, list[bytes]] = {name: [] for name in probe.SECTIONS}
    sizes = dict.fromkeys(found, 0)
    with file:
        if file.read(len(probe.MAGIC)) != probe.MAGIC:
            raise _damaged(path, "it is no snapshot of objects, or one of a newer version")
        crc = zlib.crc32(probe.MAGIC)
        while True:
            head = file.readline(_LONGEST_HEAD)
            match = _HEAD.fullmatch(head)
            if match is None or match[1].decode() not in found:
                raise _damaged(path, "it was cut, or bits of it changed")
            section, n_bytes, n_stored = match[1].decode(), int(match[2]), int(match[3])
            if n_bytes > probe.PIECE or n_stored > n_bytes or sizes[section] + n_bytes > _MOST_BYTES:
                raise _damaged(path, f"a piece of its section {section} has an impossible size")
            stored = file.read(n_stored)
            if section == "end":
                if stored != b"%08x" % crc or file.read(1):
                    raise _damaged(path, "its sum is wrong")
                return {name: b"".join(pieces) for name, pieces in found.items()}
            crc = zlib.crc32(stored, zlib.crc32(head, crc))
            found[section].append(_unpacked(stored, n_bytes, path))
            sizes[section] += n_bytes


def _unpacked(stored: bytes, n_bytes: int, path: Path) -> bytes:
    if len(stored) == n_bytes:
        return stored
    try:
        found = zlib.decompressobj().decompress(stored, n_bytes)
    except zlib.error as error:
        raise _damaged(path, f"a piece of it cannot be unpacked: {error}") from error
    if len(found) != n_bytes:
        raise _damaged(path, "a piece of it is shorter than it says")
    return found


def _numbers(data: bytes, code: str, path: Path) -> pl.Series:
    found = array(_SIGNED[code])
    if len(data) % found.itemsize:
        raise _damaged(path, "a column of it ends within a number")
    found.frombytes(data)
    if sys.byteorder == "big":
        found.byteswap()
    return pl.Series(found, dtype=pl.Int64)


def _nodes(numbers: Mapping[str, pl.Series], path: Path) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The objects, each once; and which address is which node, with where its references begin."""
    degree = numbers["degree"]
    if len({len(numbers[name]) for name in ("address", "type", "size", "count", "degree")}) != 1:
        raise _damaged(path, "its columns are not equally long")
    if degree.sum() != len(numbers["edge"]):
        raise _damaged(path, "it has another number of references than its objects say")
    rows = pl.DataFrame({name: numbers[name] for name in ("address", "type", "size", "count")})
    is_first = rows["address"].is_first_distinct()
    kept = rows.filter(is_first)
    keys = kept.select("address").with_row_index("node").with_columns(pl.col("node").cast(pl.Int64))
    nodes = kept.select(
        type_id=pl.col("type"),
        size_bytes=pl.col("size"),
        n_references=pl.when(pl.col("count").is_between(1, columns.IMMORTAL - 1)).then("count"),
    )
    return nodes, keys


def _edges(numbers: Mapping[str, pl.Series], keys: pl.DataFrame) -> tuple[pl.DataFrame, int]:
    """The references as nodes; and how many lead to what is not there."""
    rows = pl.DataFrame({"address": numbers["address"], "degree": numbers["degree"]})
    is_first = rows["address"].is_first_distinct()
    node = is_first.cast(pl.Int64).cum_sum() - 1
    first = rows.with_columns(node=pl.when(is_first).then(node)).filter(pl.col("degree") > 0)
    sources = first.select(pl.col("node").repeat_by("degree").explode())["node"]
    edges = pl.DataFrame({"source": sources, "address": numbers["edge"]}).drop_nulls("source")
    found = edges.join(keys, on="address", how="left", maintain_order="left")
    known = found.select("source", target="node").drop_nulls()
    return known, found.height - known.height


def _validity(about: Mapping[bytes, bytes], n_unseen: int) -> tuple[Validity, ...]:
    found = []
    if about.get(b"counts") != b"1":
        note = "this interpreter has no single count of references for an object"
        found.append(Validity(what="over-referenced objects", state=State.SKIPPED, note=note))
    if n_unseen:
        plural = "s lead to objects that were" if n_unseen > 1 else " leads to an object that was"
        note = f"{n_unseen:,} reference{plural} not seen"
        found.append(Validity(what="objects", state=State.TRUNCATED, note=note))
    return tuple(found)


def _damaged(path: Path, why: str) -> DamagedError:
    return DamagedError(
        f"The snapshot of objects {path.name!r} cannot be read: {why}.",
        hint="record again with --holders, or take the file away: the other snapshots can be read.",
    )
