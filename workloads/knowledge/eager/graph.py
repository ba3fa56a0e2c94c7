"""Which entities belong together?"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations

import networkx as nx

from workloads.knowledge.plain.entities import Mention


class KnowledgeGraph:
    """Which entities are named together, and in how many chunks? One node an entity, one edge a pair."""

    def __init__(self, mentions: Iterable[Mention]) -> None:
        self._graph = nx.Graph()
        names_of: dict[tuple[str, int], set[str]] = {}
        for mention in mentions:
            names_of.setdefault((mention.document, mention.position), set()).add(mention.name)
        for names in names_of.values():
            self._graph.add_nodes_from(sorted(names))
            for first, second in combinations(sorted(names), 2):
                n_chunks = self._graph.get_edge_data(first, second, {"n_chunks": 0})["n_chunks"]
                self._graph.add_edge(first, second, n_chunks=n_chunks + 1)

    def related(self, name: str) -> tuple[str, ...]:
        """Which entities share a chunk with this one, the most chunks first, those alike by name?"""
        if name not in self._graph:
            return ()
        edges = self._graph.adj[name]
        return tuple(sorted(edges, key=lambda other: (-edges[other]["n_chunks"], other)))

    def path(self, start: str, end: str) -> tuple[str, ...]:
        """Over which entities does the shortest way lead? Empty where none does."""
        try:
            return tuple(nx.shortest_path(self._graph, start, end))
        except (nx.NodeNotFound, nx.NetworkXNoPath):
            return ()

    def groups(self) -> tuple[tuple[str, ...], ...]:
        """Which entities hang together at all, the largest group first? Every entity is in one group."""
        groups = [tuple(sorted(group)) for group in nx.connected_components(self._graph)]
        return tuple(sorted(groups, key=lambda group: (-len(group), group)))
