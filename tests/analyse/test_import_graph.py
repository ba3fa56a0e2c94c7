"""Which import statement holds which modules, and who pulled a module in?"""

import pytest

from diagtools import frames
from diagtools.analyse.import_graph import NO_LINE, PACKAGE, chain, import_edges, statements

PROGRAM = "<program>"


def _imports(*rows):
    """IMPORTS of (module, importer, anon) and, as a fourth, the status."""
    filled = [(PROGRAM, None, 0), *rows]
    columns = {name: [0] * len(filled) for name in frames.IMPORTS.columns}
    columns |= {
        "order": list(range(len(filled))),
        "module": [row[0] for row in filled],
        "importer": [row[1] for row in filled],
        "status": [row[3] if len(row) > 3 else "ok" for row in filled],
        "self_anon_bytes": [row[2] for row in filled],
        "self_rss_bytes": [2 * row[2] for row in filled],
    }
    for name in ("self_wall_s", "self_cpu_s", "total_wall_s", "total_cpu_s"):
        columns[name] = [0.0] * len(filled)
    return frames.IMPORTS.from_columns(columns)


def _calls(*rows):
    """IMPORT_CALLS of (initialising, line, module) and, as more, names and level; the file is named like it."""
    columns = {name: [] for name in frames.IMPORT_CALLS.columns}
    for initialising, line, module, *more in rows:
        row = {
            "initialising": initialising,
            "file": f"{initialising or 'main'}.py",
            "line": line,
            "function": "<module>",
            "module": module,
            "names": list(more[0]) if more else [],
            "level": more[1] if len(more) > 1 else 0,
            "package": initialising,
        }
        for key, value in row.items():
            columns[key].append(value)
    return frames.IMPORT_CALLS.from_columns(columns)


def _retained(imports, calls):
    found = statements(imports, import_edges(imports, calls))
    return {
        (row["file"], row["line"]): (row["retained_anon_bytes"], row["n_modules"])
        for row in found.iter_rows(named=True)
    }


def test_what_only_one_statement_leads_to_is_held_by_it():
    """main:1 → a → (a:1 b, a:2 c); main:2 → b.  So a holds itself and c, and b is held by nobody."""
    imports = _imports(("a", PROGRAM, 10), ("b", "a", 200), ("c", "a", 3000))
    calls = _calls(("", 1, "a"), ("a", 1, "b"), ("a", 2, "c"), ("", 2, "b"))
    assert _retained(imports, calls) == {
        ("main.py", 1): (3010, 2),
        ("a.py", 2): (3000, 1),
        ("a.py", 1): (0, 0),
        ("main.py", 2): (0, 0),
    }


def test_a_cycle_holds_nothing_twice():
    imports = _imports(("a", PROGRAM, 1), ("b", "a", 2))
    calls = _calls(("", 1, "a"), ("a", 1, "b"), ("b", 1, "a"))
    assert _retained(imports, calls) == {("main.py", 1): (3, 2), ("a.py", 1): (2, 1), ("b.py", 1): (0, 0)}


def test_a_package_is_held_by_whoever_wants_a_module_of_it():
    imports = _imports(("p", PROGRAM, 5), ("p.m", PROGRAM, 7))
    calls = _calls(("", 1, "p.m"))
    edges = import_edges(imports, calls)
    assert ("p.m", PACKAGE) in edges.select("importer", "file").rows()
    assert _retained(imports, calls) == {("main.py", 1): (12, 2)}


def test_names_of_a_from_import_and_relative_ones_are_found():
    imports = _imports(("p", PROGRAM, 1), ("p.m", "p", 2), ("p.n", "p", 3))
    calls = _calls(("", 1, "p"), ("p", 4, "", ("m", "value"), 1), ("p", 5, "n", ("x",), 1))
    edges = import_edges(imports, calls)
    found = {row for row in edges.select("importer", "line", "imported", "first").rows() if row[1]}
    assert found == {(PROGRAM, 1, "p", True), ("p", 4, "p.m", True), ("p", 5, "p.n", True)}


def test_what_c_code_imported_hangs_on_who_was_being_initialised():
    imports = _imports(("a", PROGRAM, 1), ("_speed", "a", 9))
    edges = import_edges(imports, _calls(("", 1, "a")))
    assert ("a", NO_LINE, "_speed") in edges.select("importer", "file", "imported").rows()


def test_a_failed_module_is_charged_to_who_tried_it():
    imports = _imports(("a", PROGRAM, 1), ("gone", "a", 40, "failed"), ("b", "gone", 500))
    calls = _calls(("", 1, "a"), ("a", 3, "gone"), ("gone", 1, "b"))
    assert _retained(imports, calls)["main.py", 1] == (541, 2)


def test_the_chain_is_the_shortest_one():
    imports = _imports(("a", PROGRAM, 1), ("b", "a", 1), ("c", "b", 1))
    calls = _calls(("", 1, "a"), ("a", 1, "b"), ("b", 1, "c"), ("a", 9, "c"))
    found = chain(import_edges(imports, calls), "c")
    assert found.select("importer", "file", "line", "imported").rows() == [
        (PROGRAM, "main.py", 1, "a"),
        ("a", "a.py", 9, "c"),
    ]
    assert chain(import_edges(imports, calls), "nowhere").is_empty()


@pytest.mark.parametrize("frame", [frames.STATEMENTS])
def test_without_imports_there_are_no_statements(frame):
    assert statements(_imports(), import_edges(_imports(), _calls())).equals(frame.empty())
