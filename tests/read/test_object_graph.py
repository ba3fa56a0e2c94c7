"""Snapshots of objects: whole, or one clear error; hostile numbers and names included."""

from __future__ import annotations

import zlib
from pathlib import Path

import pytest

from diagtools.errors import DamagedError, DiagtoolsError
from diagtools.probes import holders as probe
from diagtools.read.object_graph import graph_files, read_object_graph, read_object_graphs
from tests.support.damage import cuts, flips

ABOUT = b"pid\t7\nindex\t0\nt_ns\t2000000000\nkind\titem\nedge\tend\nlabel\tone\npause_ns\t1\nn_threads\t1\ncounts\t1\n"
TYPES = b"1000\t__main__\tRate\n2000\tbuiltins\tdict\n"
NAMES = b"module\t0\t64\tapp\nname\t64\t128\tglobal\tCACHE\n"


def column(width: int, *values: int) -> bytes:
    return b"".join(value.to_bytes(width, "little") for value in values)


def whole(**changed: bytes) -> bytes:
    """Two objects: the dict of the module ``app`` refers to a ``Rate``, twice written."""
    sections = {
        "about": ABOUT,
        "types": TYPES,
        "names": NAMES,
        "address": column(8, 64, 128, 128),
        "type": column(4, 1, 0, 0),
        "size": column(4, 100, 40, 40),
        "count": column(4, 1, 2, 0),
        "degree": column(4, 2, 1, 1),
        "edge": column(8, 128, 4096, 64, 64),
        **changed,
    }
    data = probe.MAGIC
    for name, content in sections.items():
        data += b"%b %d %d\n" % (name.encode(), len(content), len(content)) + content
    return data + b"end 8 8\n%08x" % zlib.crc32(data)


def written(folder: Path, data: bytes, name: str = "objects.7.0.graph") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def test_a_snapshot_made_by_hand(tmp_path: Path) -> None:
    graph = read_object_graph(written(tmp_path, whole()), 500_000_000)
    assert (graph.pid, graph.index, graph.t_s, graph.label) == (7, 0, 1.5, "one")
    assert graph.nodes.rows() == [(1, 100, 1), (0, 40, 2)]
    assert graph.edges.rows() == [(0, 1), (1, 0)]
    assert graph.types["type"].to_list() == ["__main__.Rate", "dict"]
    assert graph.names.rows() == [(0, 1, "global", "CACHE")]
    assert graph.marks.rows() == [(0, "module dict", "app", "")]
    assert graph.n_unseen == 1
    assert [str(each) for each in graph.validity] == [
        "objects: truncated (1 reference leads to an object that was not seen)"
    ]


def test_a_size_beyond_its_column(tmp_path: Path) -> None:
    data = whole(size=column(4, 100, (1 << 32) - 1, 40), names=NAMES + b"size\t128\t5000000000\n")
    assert read_object_graph(written(tmp_path, data)).nodes["size_bytes"].to_list() == [100, 5_000_000_000]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"degree": column(4, 9, 1, 1)}, "another number of references"),
        ({"size": column(4, 100)}, "not equally long"),
        ({"edge": b"1234567"}, "within a number"),
        ({"type": column(4, 9, 0, 0)}, "types beyond the 2"),
        ({"names": b"name\t64\n"}, "not understood"),
        ({"names": b"mark\t64\tspy\t\tx\t\t\n"}, "'spy'"),
        ({"names": b"what\t64\n"}, "not understood"),
        ({"about": b"pid\tx\n"}, "where a number is due"),
        ({"types": b"\n"}, "not understood"),
    ],
)
def test_what_cannot_be_is_refused(tmp_path: Path, changed: dict[str, bytes], message: str) -> None:
    with pytest.raises(DamagedError, match=message):
        read_object_graph(written(tmp_path, whole(**changed)))


def test_cut_and_changed_files_are_refused(tmp_path: Path) -> None:
    data = whole()
    damaged = [*cuts(data), *(changed for _, changed in flips(data, n=300)), data + b"x", b""]
    for each in damaged:
        with pytest.raises(DamagedError):
            read_object_graph(written(tmp_path, each))


def test_a_piece_that_unpacks_to_more_than_it_says(tmp_path: Path) -> None:
    bomb = zlib.compress(bytes(1 << 22))
    head = probe.MAGIC + b"address %d %d\n" % (len(bomb) + 8, len(bomb)) + bomb
    data = head + b"end 8 8\n%08x" % zlib.crc32(head)
    with pytest.raises(DiagtoolsError):
        read_object_graph(written(tmp_path, data))
    huge = probe.MAGIC + b"address 9999999999 1\nx"
    with pytest.raises(DamagedError, match="impossible size"):
        read_object_graph(written(tmp_path, huge))


def test_the_snapshots_of_a_run_in_their_order(tmp_path: Path) -> None:
    for index in (10, 2):
        about = ABOUT.replace(b"index\t0", b"index\t%d" % index)
        about = about.replace(b"2000000000", b"%d" % (1_000_000_000 * index))
        written(tmp_path, whole(about=about), f"objects.7.{index}.graph")
    written(tmp_path, b"", "objects.7.0.graph.part")
    assert [graph.index for graph in read_object_graphs(tmp_path, 0)] == [2, 10]
    assert len(graph_files(tmp_path)) == 2


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    outside = written(tmp_path, whole(), "elsewhere")
    run = tmp_path / "run"
    run.mkdir()
    (run / "objects.7.0.graph").symlink_to(outside)
    with pytest.raises(DamagedError, match="leads out"):
        read_object_graphs(run)
