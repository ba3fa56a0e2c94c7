"""Who made the memory grow, and who asked for most of it?"""

import pytest

from diagtools.analyse.contributors import (
    contributors,
    growth_bytes,
    rise_bytes,
    top_by_demand,
    unattributed_bytes,
)


@pytest.fixture
def four(build):
    return build.items(
        {"item": "src/a.py", "delta_bytes": 50, "demand_bytes": 60, "peak_bytes": 160},
        {"item": "src/b.py", "delta_bytes": -10, "demand_bytes": 0, "peak_bytes": 150, "status": "failed"},
        {
            "item": "dist/k.js",
            "delta_bytes": 30,
            "demand_bytes": 500,
            "peak_bytes": 640,
            "status": "in_flight",
        },
        {"item": "src/a.py", "delta_bytes": 5, "demand_bytes": 20, "peak_bytes": 155, "status": "timeout"},
    )


def test_growth_is_last_minus_first_of_each_process(build):
    timeline = build.timeline((0.0, 100, 1), (1.0, 150, 1), (2.0, 0, 1), (0.5, 40, 2), (1.5, 30, 2))
    assert growth_bytes(timeline, build.markers()) == 50 - 10
    assert growth_bytes(build.timeline(), build.markers()) == 0


def test_what_python_gives_back_as_it_exits_is_no_growth(build):
    timeline = build.timeline((0.0, 10), (1.0, 310), (1.1, 60))
    exits = build.markers((1.05, "end", "", 0, {"rss_bytes": 308}), kind="exit")
    assert growth_bytes(timeline, build.markers()) == 50
    assert growth_bytes(timeline, exits) == 298


def test_shares_are_of_the_rise_which_a_release_before_the_end_does_not_shrink(build):
    timeline = build.timeline((0.0, 100, 1), (1.0, 400, 1), (2.0, 110, 1), (9.0, 110, 1))
    assert (growth_bytes(timeline, build.markers()), rise_bytes(timeline)) == (10, 300)
    kept = build.items({"item": "a", "delta_bytes": 270})
    assert contributors(kept, rise_bytes(timeline), by="item")["share"].to_list() == pytest.approx([0.9])
    assert unattributed_bytes(kept, growth_bytes(timeline, build.markers())) == -260


def test_nothing_recorded_did_not_rise(build):
    assert rise_bytes(build.timeline()) == 0


def test_items_of_one_name_are_one_contributor_and_demand_comes_first(four):
    found = contributors(four, 100, by="item")
    assert found["key"].to_list() == ["dist/k.js", "src/a.py", "src/b.py"]
    assert found["n_items"].to_list() == [1, 2, 1]
    assert found["n_failed"].to_list() == [0, 1, 1]
    assert found["delta_bytes"].to_list() == [30, 55, -10]
    assert found["share"].to_list() == pytest.approx([0.30, 0.55, -0.10])
    assert found["peak_bytes"].to_list() == [640, 160, 150]
    assert found["demand_bytes"].to_list() == [500, 60, 0]
    assert unattributed_bytes(four, 100) == 25


def test_folders_are_direct_parents(four):
    found = contributors(four, 100, by="folder")
    assert found.select("key", "delta_bytes").rows() == [("dist", 30), ("src", 45)]


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("a.py", "."),
        ("a/b/c.py", "a/b"),
        ("/c.py", "/"),
        ("/a/c.py", "/a"),
        ("a/b/", "a"),
        ("x\ny/z", "x\ny"),
        ("", "."),
    ],
)
def test_every_name_has_a_folder(build, name, folder):
    assert contributors(build.items({"item": name}), 1, by="folder")["key"].to_list() == [folder]


def test_kinds_come_from_the_corpus(build, four):
    corpus = build.corpus(
        {"path": "dist/k.js", "kind": "generated"},
        {"path": "src/a.py", "kind": "hand-written"},
        {"path": "src/a.py", "kind": "generated"},
    )
    found = contributors(four, 100, by="kind", kinds=corpus)
    assert found.select("key", "n_items").rows() == [("generated", 1), ("hand-written", 2), ("unknown", 1)]
    assert contributors(four, 100, by="kind")["key"].to_list() == ["unknown"]


@pytest.mark.parametrize("growth", [0, -5])
def test_without_growth_there_is_no_share(four, growth):
    found = contributors(four, growth, by="item")
    assert found["share"].null_count() == 3
    assert found["delta_bytes"].sum() + unattributed_bytes(four, growth) == growth


def test_what_is_unknown_stays_unknown(build):
    found = contributors(build.items({"item": "a"}), 10, by="item").row(0, named=True)
    assert (found["delta_bytes"], found["share"], found["demand_bytes"]) == (None, None, None)


def test_no_items_are_no_contributors(build):
    assert contributors(build.items(), 10, by="folder").is_empty()


def test_top_by_demand_leaves_the_unknown_out(build):
    frame = build.items(
        {"item": "a", "demand_bytes": 5},
        {"item": "b"},
        {"item": "c", "demand_bytes": 9},
        {"item": "d", "demand_bytes": 1},
    )
    assert top_by_demand(frame, 2)["item"].to_list() == ["c", "a"]
