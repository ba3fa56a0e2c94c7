"""What a search says of itself."""

from __future__ import annotations

from diagtools.analyse.bisect import Search, Side, begun, told
from diagtools.analyse.bisect_story import also_changed, answer, assumed, in_between
from diagtools.analyse.sides import Judged, Seen

MIB = 2**20
PEAK = "peak_rss_bytes"
GOOD = Judged(side=Side.GOOD, seen=Seen(values=(10 * MIB, 10 * MIB)))
BAD = Judged(side=Side.BAD, seen=Seen(values=(40 * MIB, 40 * MIB)))
BROKEN = Judged(side=Side.BROKEN, reason="exit status 1: ImportError.")
UNCLEAR = Judged(side=Side.UNCLEAR, seen=Seen(values=(20 * MIB, 20 * MIB)))
KILLED = Judged(side=Side.BAD, seen=Seen(values=(), n_killed=2))


def case(*given: Judged | None) -> tuple[Search, dict[str, Judged]]:
    """Releases 1.0, 1.1, … of which those with a judgement were tried."""
    known = {f"1.{at}": one for at, one in enumerate(given) if one is not None}
    assert given[0] is not None
    assert given[-1] is not None
    search = begun([f"1.{at}" for at in range(len(given))], given[0].side, given[-1].side)
    for release, one in list(known.items())[1:-1]:
        search = told(search, release, one.side)
    return search, known


def test_the_first_bad_one_is_named_with_both_values() -> None:
    search, known = case(GOOD, GOOD, BAD, BAD)
    assert str(answer("shop", PEAK, search, known)) == (
        "shop 1.2 is the first bad release: peak RSS is 10.0 MiB with 1.1 and 40.0 MiB with 1.2."
    )


def test_the_first_good_one_likewise() -> None:
    search, known = case(KILLED, GOOD)
    assert str(answer("shop", PEAK, search, known)) == (
        "shop 1.1 is the first good release: peak RSS is more than the limit with 1.0 and 10.0 MiB with 1.1."
    )


def test_what_cannot_be_run_leaves_a_range_and_its_reason() -> None:
    search, known = case(GOOD, BROKEN, BROKEN, BAD)
    assert str(answer("shop", PEAK, search, known)) == (
        "The first bad release of shop is 1.1, 1.2 or 1.3: 1.1 and 1.2 cannot be run (exit status 1: ImportError)."
    )


def test_a_long_range_is_named_by_its_ends() -> None:
    search, known = case(GOOD, BROKEN, None, None, UNCLEAR, None, BAD)
    assert str(answer("shop", PEAK, search, known)) == (
        "The first bad release of shop is one of the 6 from 1.1 to 1.6: 1.1 cannot be run (exit status 1: "
        "ImportError) and 1.4 cannot be told and 1.2, 1.3 and 1.5 were not tried."
    )


def test_what_lies_between_moved_in_steps() -> None:
    search, known = case(GOOD, UNCLEAR, BAD)
    assert [str(one) for one in in_between(PEAK, search, known)] == [
        "1.1 (20.0 MiB) lies between the two: the number moved in more than one step, or varies."
    ]
    assert in_between(PEAK, *case(GOOD, BAD)) == []


def test_what_was_not_tried_is_said() -> None:
    assert "2 of the 5 releases were not tried" in str(assumed(case(GOOD, None, None, BAD, BAD)[0])[0])
    assert assumed(case(GOOD, BAD)[0]) == []


def test_another_dependency_may_be_the_cause() -> None:
    search, _ = case(GOOD, BAD)
    same = {"1.0": [("dep", "1.0")], "1.1": [("dep", "1.0")]}
    assert also_changed("shop", search, same) == []
    moved = {"1.1": [("dep", "2.0")]}
    assert str(also_changed("shop", search, moved)[0]) == (
        "With 1.1 something else differs too, because shop needs it: dep as installed → 2.0. It may be the cause."
    )
