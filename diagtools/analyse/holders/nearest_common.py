"""Below which node of a tree do all hang that refer to an object?"""

from __future__ import annotations

import polars as pl

#: Steps up the tree for all at once; what is further apart then is looked at node by node.
_MOST_STEPS = 64


def nearest_common(pairs: pl.DataFrame, above: pl.Series, depth: pl.Series) -> pl.DataFrame:
    """For each ``target`` of the pairs: the nearest node that is, or is above, each of its ``source``.

    ``above`` and ``depth`` are those of a tree that has all sources.  The result has ``node`` and ``above``.
    """
    rows = pairs.select(node="target", above="source")
    settled = []
    for _ in range(_MOST_STEPS):
        rows = rows.unique()
        n_left = pl.len().over("node")
        rows = rows.with_columns(n_left=n_left)
        settled.append(rows.filter(pl.col("n_left") == 1).select("node", "above"))
        rows = rows.filter(pl.col("n_left") > 1).select("node", "above")
        if rows.is_empty():
            break
        rows = rows.with_columns(depth=depth.gather(rows["above"]), up=above.gather(rows["above"]))
        is_deepest = pl.col("depth") == pl.col("depth").max().over("node")
        rows = rows.select("node", above=pl.when(is_deepest).then("up").otherwise("above"))
    return pl.concat([*settled, _node_by_node(rows, above, depth)])


def _node_by_node(rows: pl.DataFrame, above: pl.Series, depth: pl.Series) -> pl.DataFrame:
    """The same where the tree is deep: long chains of objects that are held one by the other."""
    if rows.is_empty():
        return rows
    up, deep = above.to_list(), depth.to_list()
    jump = _Jumps(up, deep)
    found: dict[int, int] = {}
    for node, source in rows.iter_rows():
        found[node] = jump.common(found[node], source) if node in found else source
    return pl.DataFrame({"node": list(found), "above": list(found.values())}, schema=rows.schema)


class _Jumps:
    """One long step up for each node, so that any node above is some dozen steps away (Myers, 1983)."""

    def __init__(self, up: list[int], depth: list[int]) -> None:
        self._up, self._depth = up, depth
        self._far = [-1] * len(up)

    def common(self, one: int, other: int) -> int:
        """The nearest node that both are, or hang below."""
        up, depth = self._up, self._depth
        if depth[one] < depth[other]:
            one, other = other, one
        while depth[one] > depth[other]:
            far = self._jump(one)
            one = far if depth[far] >= depth[other] else up[one]
        while one != other:
            far, there = self._jump(one), self._jump(other)
            one, other = (far, there) if far != there else (up[one], up[other])
        return one

    def _jump(self, node: int) -> int:
        """Where the long step leads to; those above are worked out first."""
        far, up, depth = self._far, self._up, self._depth
        missing = []
        while far[node] < 0:
            missing.append(node)
            if up[node] == node or depth[node] == 0:
                far[node] = node
                break
            node = up[node]
        for each in reversed(missing):
            parent = up[each]
            if each == parent:
                continue
            second = far[parent]
            is_even = depth[parent] - depth[second] == depth[second] - depth[far[second]]
            far[each] = far[second] if is_even and parent != second else parent
        return far[missing[0]] if missing else far[node]
