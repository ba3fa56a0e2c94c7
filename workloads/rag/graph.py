"""Which file defines what, and which module does it need?"""

from dataclasses import dataclass, field

from workloads.rag.symbols import Outline


@dataclass(slots=True)
class CodeGraph:
    """Which files, symbols and modules are there, and how do they hang together?

    Nodes are files, the symbols they define (one for each name in a file) and the modules they import. Edges
    lead from a file to each of the latter two.
    """

    _files: set[str] = field(default_factory=set)
    _modules: set[str] = field(default_factory=set)
    _defines: set[tuple[str, str]] = field(default_factory=set)
    _imports: set[tuple[str, str]] = field(default_factory=set)

    def add(self, file: str, found: Outline) -> None:
        """What does this file bring into the graph?"""
        self._files.add(file)
        self._modules.update(found.imports)
        self._defines.update((file, symbol.name) for symbol in found.symbols)
        self._imports.update((file, module) for module in found.imports)

    @property
    def n_nodes(self) -> int:
        """How many files, symbols and modules?"""
        return len(self._files) + len(self._defines) + len(self._modules)

    @property
    def n_edges(self) -> int:
        """How many definitions and imports?"""
        return len(self._defines) + len(self._imports)
