"""Does the graph know each definition and import once?"""

import pytest

from workloads.rag.graph import CodeGraph
from workloads.rag.symbols import outline


@pytest.fixture
def graph() -> CodeGraph:
    """Two files that share a module and a name."""
    filled = CodeGraph()
    filled.add("a.py", outline("import os\ndef load(): pass\ndef load(): pass\n", "a.py"))
    filled.add("b.py", outline("import os, sys\ndef load(): pass\n", "b.py"))
    return filled


def test_nodes_are_files_names_and_modules(graph: CodeGraph) -> None:
    """Two files, `load` in each, os and sys."""
    assert graph.n_nodes == 2 + 2 + 2


def test_edges_lead_from_files(graph: CodeGraph) -> None:
    """One definition each, and three imports."""
    assert graph.n_edges == 2 + 3


def test_a_file_that_comes_again_adds_nothing(graph: CodeGraph) -> None:
    """The graph is a set."""
    before = (graph.n_nodes, graph.n_edges)
    graph.add("b.py", outline("import os, sys\ndef load(): pass\n", "b.py"))
    assert (graph.n_nodes, graph.n_edges) == before
