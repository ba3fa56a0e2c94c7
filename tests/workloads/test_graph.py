"""Are files, symbols and modules counted once each?"""

from workloads.rag.graph import CodeGraph
from workloads.rag.symbols import outline


def test_nodes_and_edges_of_two_files() -> None:
    graph = CodeGraph()
    graph.add("a.py", outline("import os\nimport re\ndef f(): pass\ndef g(): pass\n", "a.py"))
    graph.add("b.py", outline("import os\ndef f(): pass\ndef f(): pass\n", "b.py"))
    assert graph.n_nodes == 2 + 3 + 2  # files; a.f, a.g, b.f; os, re
    assert graph.n_edges == 3 + 3  # definitions; a-os, a-re, b-os


def test_an_empty_graph_is_empty() -> None:
    assert (CodeGraph().n_nodes, CodeGraph().n_edges) == (0, 0)
