"""The words in a snapshot of objects: its types, and what people call its objects (see ``probes.graph_names``)."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence

import polars as pl

from diagtools.errors import DamagedError
from diagtools.frames import GRAPH_TYPES
from diagtools.probes import graph_names as probe
from diagtools.read.artefact import name_of

_DIGITS = re.compile(rb"\d{1,19}")
_PLAIN = {escaped: plain for plain, escaped in probe.ESCAPES}
_ESCAPED = re.compile(b"|".join(re.escape(escaped) for escaped in _PLAIN))
_LARGEST = 2**63 - 1
_OURS = "diagtools"
#: How many fields follow the first one of a line.
_N_FIELDS = {"module": 3, "class": 3, "name": 4, "thread": 3, "frame": 5, "mark": 6, "size": 2}


class Words:
    """The frames of types, names and marks; addresses become nodes, what leads to none is left out."""

    def __init__(self, *, types: bytes, names: bytes, addresses: pl.DataFrame) -> None:
        self._addresses = addresses
        rows = _rows(names)
        self._sizes = rows["size"]
        self._module_of = {number(row[1]): text_of(row[2]) for row in rows["module"]}
        self.types = self._types(types)
        self.names = self._names(rows["name"])
        self.marks = self._marks(rows)

    def with_giants(self, nodes: pl.DataFrame) -> pl.DataFrame:
        """The same nodes, with the sizes that are too large for their column."""
        if not self._sizes:
            return nodes
        sizes = pl.DataFrame(
            {
                "address": [number(row[0]) for row in self._sizes],
                "size": [number(row[1]) for row in self._sizes],
            }
        )
        known = self._addresses.join(sizes.unique("address"), on="address", how="left", maintain_order="left")
        return nodes.with_columns(size_bytes=pl.coalesce(known["size"], "size_bytes"))

    def _nodes(self, addresses: Sequence[int]) -> pl.Series:
        wanted = pl.DataFrame({"address": pl.Series(addresses, dtype=pl.Int64)})
        return wanted.join(self._addresses, on="address", how="left", maintain_order="left")["node"]

    def _types(self, data: bytes) -> pl.DataFrame:
        lines = [fields(line, 3) for line in lines_of(data)]
        modules = [text_of(module) for _, module, _ in lines]
        nodes: list[int | None] = self._nodes([number(address) for address, _, _ in lines]).to_list()
        names = [text_of(name) or "?" for _, _, name in lines]
        return GRAPH_TYPES.from_columns(
            {
                "type_id": list(range(len(lines))),
                "node": list(nodes),
                "type": list(map(_qualified, modules, names)),
                "module": list(modules),
                "is_ours": list(map(_is_ours, modules)),
            }
        )

    def _names(self, rows: Sequence[Sequence[bytes]]) -> pl.DataFrame:
        owners, targets = [number(row[0]) for row in rows], [number(row[1]) for row in rows]
        frame = pl.DataFrame(
            {
                "owner": self._nodes(owners),
                "target": self._nodes(targets),
                "how": [name_of(row[2]) for row in rows],
                "name": [text_of(row[3]) for row in rows],
                "known": [owner == 0 for owner in owners],
            },
            schema_overrides={"owner": pl.Int64, "target": pl.Int64, "how": pl.String, "name": pl.String},
        )
        kept = frame.filter(
            pl.col("target").is_not_null() & (pl.col("owner").is_not_null() | pl.col("known"))
        )
        return kept.drop("known").unique(maintain_order=True)

    def _marks(self, rows: dict[str, list[Sequence[bytes]]]) -> pl.DataFrame:
        found: list[tuple[int, str, str, str]] = []
        for row in rows["module"]:
            name = text_of(row[2])
            found += [(number(row[0]), "module", name, ""), (number(row[1]), "module dict", name, "")]
        for row in rows["class"]:
            found.append((number(row[0]), "class", _qualified(text_of(row[1]), text_of(row[2])), ""))
        threads = {row[0]: text_of(row[2]) for row in rows["thread"]} | {b"0": "finished"}
        for row in rows["frame"]:
            name = _qualified(text_of(row[3]), text_of(row[4]))
            found.append((number(row[0]), "frame", name, threads.get(row[1], "")))
        for row in rows["mark"]:
            kind = name_of(row[1])
            if kind not in probe.KINDS:
                raise DamagedError(f"A snapshot of objects marks {kind!r}, which is no kind of object.")
            found.append((number(row[0]), kind, _qualified(text_of(row[2]), text_of(row[3])), _entries(row)))
        nodes = self._nodes([one[0] for one in found])
        columns = zip(*[one[1:] for one in found], strict=True) if found else ([], [], [])
        frame = pl.DataFrame([nodes.alias("node"), *map(_column, ("kind", "name", "detail"), columns)])
        return frame.drop_nulls("node").unique(["node", "kind"], keep="first", maintain_order=True)


def lines_of(data: bytes) -> list[bytes]:
    """The lines of a section."""
    return data.split(b"\n")[:-1]


def fields(line: bytes, n: int) -> list[bytes]:
    """The ``n`` fields of a line.  Raises ``DamagedError``."""
    found = line.split(b"\t")
    if len(found) != n:
        raise DamagedError(f"A line of a snapshot of objects is not understood: {name_of(line[:60])!r}.")
    return found


def number(raw: bytes) -> int:
    """Which whole number is written so?  Raises ``DamagedError``."""
    if not _DIGITS.fullmatch(raw) or int(raw) > _LARGEST:
        raise DamagedError(f"A snapshot of objects holds {name_of(raw[:40])!r} where a number is due.")
    return int(raw)


def _rows(data: bytes) -> dict[str, list[Sequence[bytes]]]:
    found: dict[str, list[Sequence[bytes]]] = defaultdict(list)
    for line in lines_of(data):
        kind = line.partition(b"\t")[0].decode("ascii", "replace")
        if kind not in _N_FIELDS:
            raise DamagedError(f"A line of a snapshot of objects is not understood: {name_of(line[:60])!r}.")
        found[kind].append(fields(line, _N_FIELDS[kind] + 1)[1:])
    return found


def _column(name: str, values: Sequence[str]) -> pl.Series:
    return pl.Series(name, values, dtype=pl.String)


def text_of(raw: bytes) -> str:
    """Which text is written so?"""
    return name_of(_ESCAPED.sub(lambda found: _PLAIN[found[0]], raw) if b"\\" in raw else raw)


def _qualified(module: str, name: str) -> str:
    return name if module in ("", "builtins") else f"{module}.{name}"


def _is_ours(module: str) -> bool:
    return module == _OURS or module.startswith(f"{_OURS}.")


def _entries(row: Sequence[bytes]) -> str:
    """``512 of 512 entries`` of a cache, or ``600 entries, no maximum``."""
    if not row[4]:
        return ""
    n = number(row[4])
    if row[5]:
        return f"{n:,} of {number(row[5]):,} entries"
    return f"{n:,} {'entry' if n == 1 else 'entries'}, no maximum"
