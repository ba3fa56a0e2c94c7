"""Which import statement holds which modules, and who pulled a module in?"""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diagtools import frames
from diagtools.analyse.import_graph import (
    NO_LINE,
    PACKAGE,
    chain,
    held_modules,
    import_edges,
    modules_behind,
    other_ways,
    packages_run_along,
    statements,
    thread_importers,
)

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


def test_what_a_failed_import_kept_is_held_by_who_tried_it():
    """``gone`` is no module that is there, but what it kept, and what it imported, is gone without a.py:3."""
    imports = _imports(("a", PROGRAM, 1), ("gone", "a", 40, "failed"), ("b", "gone", 500))
    calls = _calls(("", 1, "a"), ("a", 3, "gone"), ("gone", 1, "b"))
    assert _retained(imports, calls) == {
        ("main.py", 1): (541, 2),
        ("a.py", 3): (540, 1),
        ("gone.py", 1): (500, 1),
    }
    edges = import_edges(imports, calls)
    assert held_modules(edges, [("a.py", 3)]) == modules_behind(edges, ["gone"]) == {"gone", "b"}
    assert chain(edges, "b")["importer"].to_list() == [PROGRAM, "a", "gone"]


def test_what_was_left_unfinished_is_held_too():
    imports = _imports(("a", PROGRAM, 1, "unfinished"), ("b", "a", 20, "unfinished"), ("c", "b", 300))
    calls = _calls(("", 1, "a"), ("a", 1, "b"), ("b", 1, "c"))
    assert _retained(imports, calls) == {
        ("main.py", 1): (321, 1),
        ("a.py", 1): (320, 1),
        ("b.py", 1): (300, 1),
    }


def test_a_name_that_failed_once_and_was_imported_later_is_one_module():
    imports = _imports(("a", PROGRAM, 1), ("late", "a", 20, "failed"), ("late", PROGRAM, 300))
    calls = _calls(("", 1, "a"), ("a", 1, "late"), ("", 2, "late"))
    assert _retained(imports, calls) == {("main.py", 1): (1, 1), ("a.py", 1): (0, 0), ("main.py", 2): (0, 0)}
    edges = import_edges(imports, calls)
    assert edges.filter("first").select("importer", "imported").rows() == [(PROGRAM, "a"), (PROGRAM, "late")]


def test_a_package_of_which_a_module_failed_is_wanted_for_itself():
    """``from p import missing`` asks for a module ``p.missing``; that is no reason why ``p`` runs."""
    imports = _imports(("p", PROGRAM, 1), ("q", "p", 20), ("p.missing", PROGRAM, 0, "failed"))
    edges = _edges(
        (PROGRAM, "<statement>", 1, "p", "p.missing"),
        ("p", "/x/p/__init__.py", 1, "q"),
        ("p.missing", PACKAGE, 0, "p"),
    )
    assert packages_run_along(imports, edges).is_empty()


@pytest.mark.parametrize("status", ["ok", "failed"])
def test_modules_of_one_name_that_loaded_each_other_are_reached(status):
    """Nothing leads to either: a is loaded by b, and b by a."""
    imports = _imports(("a", "b", 1, status), ("b", "a", 20, status))
    edges = import_edges(imports, _calls())
    assert chain(edges, "a").height == 1
    assert chain(edges, "b").height == 2


def test_a_module_to_which_only_its_own_lead_is_reached():
    """C code of a imports p.m, which imports p again: both hang on a."""
    imports = _imports(("a", PROGRAM, 1), ("p", "a", 20), ("p.m", "p", 300))
    edges = import_edges(imports, _calls(("", 1, "a"), ("p", 1, "p.m"), ("p.m", 1, "p")))
    assert [row["importer"] for row in chain(edges, "p.m").iter_rows(named=True)] == [PROGRAM, "a", "p"]
    assert _retained(imports, _calls(("", 1, "a"), ("p", 1, "p.m"), ("p.m", 1, "p")))["main.py", 1] == (
        321,
        3,
    )


def _in_threads():
    """``thr`` imports t1 and t2 in threads: nothing is being initialised there, and they come from its file."""
    imports = _imports(("thr", PROGRAM, 1), ("t1", PROGRAM, 20), ("t2", PROGRAM, 300))
    calls = _calls(("", 1, "thr"), ("", 2, "t1"), ("", 3, "t2")).with_columns(
        file=pl.Series(["main.py", "/x/thr.py", "/x/thr.py"])
    )
    return imports, calls, {"thr": "/x/thr.py", "t1": "", "unknown": "main.py"}


def test_what_a_module_imports_in_a_thread_is_held_by_who_imports_it():
    imports, calls, files = _in_threads()
    edges = import_edges(imports, calls, files)
    found = {
        row["line"]: row["retained_anon_bytes"] for row in statements(imports, edges).iter_rows(named=True)
    }
    assert found == {1: 321, 2: 20, 3: 300}
    assert edges["first"].all()
    assert chain(import_edges(imports, calls), "t1")["importer"].to_list() == [PROGRAM]


def test_a_call_in_a_module_that_is_initialised_is_its_own_whatever_the_file():
    imports, calls, files = _in_threads()
    more = calls.with_columns(initialising=pl.Series(["", "t2", ""]))
    assert import_edges(imports, more, files).filter(pl.col("line") == 2)["importer"].to_list() == ["t2"]


def test_who_imported_in_a_thread_is_known_where_it_is_one():
    imports, calls, files = _in_threads()
    assert thread_importers(imports, import_edges(imports, calls, files)) == {"t1": "thr", "t2": "thr"}
    too = _calls(("", 4, "t2"))
    assert thread_importers(imports, import_edges(imports, calls.vstack(too), files)) == {"t1": "thr"}


@st.composite
def _programs(draw):
    """Any imports, and any statements that may have asked for them."""
    names = st.sampled_from(["a", "a.b", "a.b.c", "d", "d.e"])
    size, status = st.integers(0, 1000), st.sampled_from(["ok", "failed", "unfinished"])
    rows = draw(st.lists(st.tuples(names, st.one_of(st.just(PROGRAM), names), size, status), max_size=9))
    loaders = {PROGRAM, *(row[0] for row in rows)}
    imports = _imports(*[row for row in rows if row[1] in loaders])
    calls = draw(st.lists(st.tuples(st.one_of(st.just(""), names), st.integers(1, 3), names), max_size=12))
    files = draw(st.dictionaries(names, st.sampled_from(["main.py", "a.py", "d.py"]), max_size=4))
    return imports, _calls(*calls), files


@given(_programs())
def test_each_module_has_a_chain_and_no_statement_holds_more_than_all(program):
    imports, calls, files = program
    edges = import_edges(imports, calls, files)
    modules = set(imports["module"].to_list()) - {PROGRAM}
    assert all(chain(edges, module).height for module in modules)
    assert set(edges["imported"].to_list()) == modules
    held = statements(imports, edges)
    n_there = imports.filter((pl.col("status") == "ok") & (pl.col("module") != PROGRAM))["module"].n_unique()
    assert (held["retained_anon_bytes"] <= imports["self_anon_bytes"].sum()).all()
    assert (held["n_modules"] <= n_there).all()
    kept = {
        (file, line): held_modules(edges, [(file, line)]) for file, line in held.select("file", "line").rows()
    }
    for row in held.iter_rows(named=True):
        gone = imports.filter(pl.col("module").is_in(kept[row["file"], row["line"]]))
        assert row["retained_anon_bytes"] <= gone["self_anon_bytes"].sum()


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


def _edges(*rows):
    """IMPORT_EDGES of (importer, file, line, imported…)."""
    flat = [(row[0], imported, row[1], row[2], True) for row in rows for imported in row[3:]]
    names = frames.IMPORT_EDGES.columns
    return frames.IMPORT_EDGES.from_columns({name: [row[n] for row in flat] for n, name in enumerate(names)})


def _shop():
    """``import shop.config`` runs ``shop``, whose two statements lead to heavy and to light; light is wanted too."""
    imports = _imports(
        ("shop", PROGRAM, 1), ("heavy", "shop", 200), ("light", "shop", 30), ("shop.config", PROGRAM, 4)
    )
    edges = _edges(
        (PROGRAM, "<statement>", 1, "shop", "shop.config"),
        ("shop", "/x/shop/__init__.py", 1, "heavy"),
        ("shop", "/x/shop/__init__.py", 2, "light"),
        ("shop.config", "/x/shop/config.py", 1, "light"),
        ("shop.config", PACKAGE, 0, "shop"),
    )
    return imports, edges


def test_a_package_that_runs_for_a_module_in_it_is_named_with_all_it_imports():
    (row,) = packages_run_along(*_shop()).rows(named=True)
    assert (row["package"], row["wanted"], row["lines"]) == ("shop", "shop.config", [1, 2])
    assert (row["retained_anon_bytes"], row["n_modules"]) == (200, 1)


def test_a_package_that_somebody_wants_for_itself_does_not_run_along():
    imports, edges = _shop()
    more = _edges((PROGRAM, "<statement>", 2, "shop"))
    assert packages_run_along(imports, edges.vstack(more)).is_empty()


def test_a_package_that_its_own_modules_import_runs_along_all_the_same():
    imports, edges = _shop()
    more = _edges(("shop.config", "/x/shop/config.py", 2, "shop"))
    assert packages_run_along(imports, edges.vstack(more)).height == 1


def test_what_a_statement_holds_is_gone_without_it():
    _, edges = _shop()
    assert held_modules(edges, [("/x/shop/__init__.py", 1)]) == {"heavy"}
    assert held_modules(edges, [("/x/shop/__init__.py", 2)]) == set()
    both = [("/x/shop/__init__.py", 2), ("/x/shop/config.py", 1)]
    assert held_modules(edges, both) == {"light"}
    assert held_modules(edges, []) == set()


def test_what_only_a_package_brings_is_gone_without_it():
    imports = _imports(("a", PROGRAM, 1), ("big", "a", 2), ("big.core", "big", 3), ("dep", "big.core", 4))
    edges = _edges(
        (PROGRAM, "m.py", 1, "a"),
        ("a", "a.py", 1, "big"),
        ("big", "b.py", 1, "big.core"),
        ("big.core", "c.py", 1, "dep"),
    )
    assert modules_behind(edges, ["big"]) == {"big", "big.core", "dep"}
    assert modules_behind(edges, ["big.core"]) == {"big.core", "dep"}
    assert modules_behind(edges, ["bigger"]) == set()
    assert imports.height == 5


def test_who_loads_a_module_that_no_statement_shows_is_an_edge_without_a_line():
    """``heavy`` seemed to come by one statement only; with that lazy, the C code of ``fast`` loads it."""
    lazy = _imports(("fast", PROGRAM, 1), ("heavy", "fast", 200), ("heavy.sub", "heavy", 5))
    (row,) = other_ways({"heavy", "heavy.sub"}, lazy).rows(named=True)
    assert (row["importer"], row["imported"], row["file"]) == ("fast", "heavy", NO_LINE)


def test_a_module_that_failed_to_load_came_by_no_way():
    lazy = _imports(("fast", PROGRAM, 1), ("heavy", "fast", 200, "failed"))
    assert other_ways({"heavy"}, lazy).is_empty()
