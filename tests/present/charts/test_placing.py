"""Labels neither cover each other nor stick out while there is room."""

from __future__ import annotations

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from diagtools.present.charts.placing import Box, Canvas, Label

FRAME = Box(left=0, top=0, right=800, bottom=300)
SPOTS = st.tuples(st.floats(0, 800), st.floats(0, 300))


def label(x: float, y: float, text: str = "a label of some length", **options: object) -> Label:
    return Label(lines=(text,), x=x, y=y, **options)  # type: ignore[arg-type]


@given(st.lists(SPOTS, min_size=1, max_size=12))
def test_no_label_is_lost_or_leaves_the_frame(spots: list[tuple[float, float]]) -> None:
    placed = Canvas(frame=FRAME).place([label(x, y) for x, y in spots])
    assert len(placed) == len(spots)
    assert not any(one.box.outside(FRAME) for one in placed)


@given(SPOTS, st.lists(st.tuples(st.floats(-60, 60), st.floats(-30, 30)), max_size=3))
def test_a_few_labels_never_collide_however_close_their_points(
    first: tuple[float, float], offsets: list[tuple[float, float]]
) -> None:
    near = [(min(800.0, max(0.0, first[0] + dx)), min(300.0, max(0.0, first[1] + dy))) for dx, dy in offsets]
    placed = Canvas(frame=FRAME).place([label(x, y) for x, y in (first, *near)])
    assert not any(one.box.overlaps(other.box) for one, other in combinations(placed, 2))


def test_labels_of_one_point_stand_around_it() -> None:
    placed = Canvas(frame=FRAME).place([label(400, 150) for _ in range(4)])
    assert not any(one.box.overlaps(other.box) for one, other in combinations(placed, 2))


def test_the_curve_is_kept_clear_where_it_can_be() -> None:
    curve = [(x, 140 - (x - 400) / 10) for x in range(0, 800, 4)]
    (placed,) = Canvas(frame=FRAME, points=curve).place([label(400, 140)])
    assert not any(placed.box.holds(x, y) for x, y in curve)


def test_an_optional_label_is_left_out_where_it_would_cover_another() -> None:
    taken = [Box(left=0, top=0, right=800, bottom=300)]
    canvas = Canvas(frame=FRAME, boxes=taken)
    assert canvas.place([label(400, 150, optional=True)]) == []
    assert len(canvas.place([label(400, 150)])) == 1


def test_positions_can_be_restricted() -> None:
    (placed,) = Canvas(frame=FRAME).place([label(400, 150, at=(("right", 1),))])
    assert placed.box.right == 400
    assert placed.box.top > 150
