"""Where does each module stand in a picture of who imported whom?"""

from hypothesis import given
from hypothesis import strategies as st

from diagtools import frames
from diagtools.analyse.import_icicle import icicle


def _imports(*rows):
    """IMPORTS of (module, importer, own anonymous bytes); the program itself comes first."""
    filled = [("<program>", None, 0), *rows]
    columns = {name: [0] * len(filled) for name in frames.IMPORTS.columns}
    columns |= {
        "order": list(range(len(filled))),
        "module": [row[0] for row in filled],
        "importer": [row[1] for row in filled],
        "status": ["ok"] * len(filled),
        "self_anon_bytes": [row[2] for row in filled],
    }
    for name in ("self_wall_s", "self_cpu_s", "total_wall_s", "total_cpu_s"):
        columns[name] = [0.0] * len(filled)
    return frames.IMPORTS.from_columns(columns)


def _spans(imports, **options):
    return {
        row[0]: row[1:]
        for row in icicle(imports, **options).select("module", "depth", "left_bytes", "right_bytes").rows()
    }


def test_the_widest_stands_left_and_the_own_part_is_free_on_the_right():
    imports = _imports(("a", "<program>", 10), ("a.x", "a", 20), ("a.y", "a", 50), ("b", "<program>", 100))
    assert _spans(imports) == {
        "<program>": (0, 0, 180),
        "b": (1, 0, 100),
        "a": (1, 100, 180),
        "a.y": (2, 100, 150),
        "a.x": (2, 150, 170),
    }


def test_small_ones_are_left_out_and_what_gave_memory_back_has_no_width():
    imports = _imports(("a", "<program>", 1000), ("b", "<program>", 1), ("c", "<program>", -50))
    assert set(_spans(imports, least_share=0.01)) == {"<program>", "a"}


def test_nothing_imported_is_the_program_alone():
    assert _spans(_imports()) == {"<program>": (0, 0, 0)}


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(-5, 1000)), max_size=30))
def test_no_module_leaves_the_one_above_it_and_none_overlap(rows):
    names = ["<program>"]
    modules = []
    for number, (above, own) in enumerate(rows):
        modules.append((f"m{number}", names[above % len(names)], own))
        names.append(f"m{number}")
    found = icicle(_imports(*modules), least_share=0.0)
    importers = {name: importer for name, importer, _ in modules}
    spans = {row["module"]: (row["left_bytes"], row["right_bytes"]) for row in found.iter_rows(named=True)}
    for name, (left, right) in spans.items():
        if name in importers:
            outer = spans[importers[name]]
            assert outer[0] <= left <= right <= outer[1]
    by_depth = found.sort("depth", "left_bytes").partition_by("depth")
    for level in by_depth:
        ends, starts = level["right_bytes"].to_list(), level["left_bytes"].to_list()
        assert all(end <= start for end, start in zip(ends, starts[1:], strict=False))
