"""Every sentence that a ledger can say, said of a program of which it is true."""

from __future__ import annotations

import polars as pl
import pytest

from diagtools.analyse.ledger import OUTSIDE, ledger, ledger_difference
from diagtools.analyse.ledger_story import difference_finding, ledger_findings, ledger_validity
from diagtools.frames import CLAIMS, POOLS
from diagtools.units import format_bytes
from diagtools.values import State, Validity
from tests.support.ledgers import ARENA, ARRAYS, DEEP, FILES, FRAGMENTED, MIB, POLARS, Taken, taken


def said(found: Taken, label: str) -> dict[str, float | None]:
    """The sentences of one snapshot, and their values."""
    files = found.files
    return {
        finding.sentence: finding.value
        for finding in ledger_findings(found.of(label), files.snapshots, files.pools)
    }


def sentence(found: Taken, label: str, part: str) -> tuple[str, float]:
    """The one sentence that has these words, and its value in MiB."""
    ((text, value),) = [(text, value) for text, value in said(found, label).items() if part in text]
    assert value is not None
    return text, value / MIB


def test_the_whole_is_its_largest_parts_and_the_rest() -> None:
    found = taken(FRAGMENTED)
    text = next(iter(said(found, "blocks freed")))
    rss = format_bytes(found.rss_mib("blocks freed") * MIB)
    free = format_bytes(found.mib("blocks freed", "C free") * MIB)
    assert text.startswith(f"RSS of {rss} consists of {free} C free, ")
    assert text.endswith(" for all else.")


def test_what_is_free_in_glibc_and_would_go_back_is_a_prediction() -> None:
    found = taken(FRAGMENTED)
    text, value = sentence(found, "blocks freed", "free inside glibc")
    assert value == pytest.approx(50_000 * 0.95 * 2096 / MIB, rel=0.05)
    assert (
        "would go back with malloc_trim (predicted from the sizes of its free blocks, not measured)" in text
    )


def test_what_went_back_is_measured_and_the_prediction_was_near() -> None:
    predicted, measured = taken(FRAGMENTED), taken(FRAGMENTED, "trim")
    text, _ = sentence(measured, "blocks freed", "free inside glibc")
    snapshot = measured.files.snapshots.filter(pl.col("label") == "blocks freed").row(0, named=True)
    went_back = snapshot["trim_before_bytes"] - snapshot["trim_after_bytes"]
    assert f"; {format_bytes(went_back)} went back with malloc_trim (measured)." in text
    assert went_back > 60 * MIB
    guess = predicted.files.snapshots.filter(pl.col("label") == "blocks freed")["c_whole_bytes"].item()
    assert guess == pytest.approx(went_back, rel=0.1)


def test_what_has_gone_back_is_not_predicted_to_go_again() -> None:
    found = taken(
        """
        blocks = [bytes(2048) for _ in range(50_000)]
        kept = blocks[::20]
        del blocks
        _probe("heap_calls").Calls().call("malloc_trim", 0)
        snapshot("trimmed")
        """
    )
    free = [text for text in said(found, "trimmed") if "free inside glibc" in text]
    assert all("about 0 B of it" in text or "KiB of it" in text for text in free)


def test_half_empty_arenas_are_named_with_what_keeps_them() -> None:
    found = taken(FRAGMENTED)
    text, value = sentence(found, "objects freed", "half-empty pymalloc arenas")
    assert value > 0.85 * 600_000 * 112 / MIB
    used = format_bytes(found.mib("objects freed", "Python used") * MIB)
    assert text.endswith(f"is held by half-empty pymalloc arenas: {used} of objects keep them.")


def test_arenas_that_are_nearly_full_are_not_called_half_empty() -> None:
    found = taken(
        """
        lists = [[] for _ in range(400_000)]
        freed = [[] for _ in range(60_000)]
        kept = freed[::100]
        del freed
        snapshot("freed")
        """
    )
    text, value = sentence(found, "freed", "pymalloc arenas")
    used = found.mib("freed", "Python used")
    assert value == pytest.approx(60_000 * 0.99 * 64 / MIB, rel=0.5)
    assert text == (
        f"{format_bytes(value * MIB)} is free inside pymalloc arenas that are "
        f"{used / (used + value):.0%} full of objects.".replace("%", " %")
    )


def test_file_pages_can_be_dropped_some_of_them_once_they_are_written() -> None:
    found = taken(FILES)
    if found.files.mappings.filter(pl.col("name").str.contains("data.bin"))["in_memory"].any():
        pytest.skip("temporary files lie in memory here")
    text, value = sentence(found, "read: 48 MiB", "file pages")
    assert value == pytest.approx(48, abs=0.5)
    assert text == f"{format_bytes(value * MIB)} is file pages the kernel can drop."
    text, value = sentence(found, "unwritten: 48 MiB", "file pages")
    assert value == pytest.approx(48, abs=0.5)
    assert text.endswith("is file pages the kernel can drop once they are written.")


def test_shared_memory_is_counted_by_each_process() -> None:
    text, value = sentence(taken(FILES), "shared: 24 MiB", "shared memory, which")
    assert value == pytest.approx(24, abs=0.5)
    assert (
        text
        == f"{format_bytes(value * MIB)} is shared memory, which each process that maps it counts in full."
    )


def test_a_mapping_of_its_own_is_unexplained_and_why() -> None:
    text, value = sentence(taken(FILES), "raw: 64 MiB", "is unexplained")
    assert value == pytest.approx(64, abs=0.5)
    assert "mapped by the program itself, or by an allocator that is linked into an extension" in text


def test_deep_stacks_are_named() -> None:
    found = taken(DEEP)
    text, value = sentence(found, "deep", "stacks of threads")
    assert text == f"{format_bytes(value * MIB)} is stacks of threads."


def test_polars_allocator_is_said_with_its_bound() -> None:
    text, value = sentence(taken(POLARS), "frame: 64 MiB", "polars' allocator keeps")
    assert value >= 64
    assert text == (
        f"polars' allocator keeps at most {format_bytes(value * MIB)}: it does not say what of that is in use."
    )


def test_onnxruntimes_arena_is_among_the_blocks_of_c() -> None:
    found = taken(ARENA)
    # Two arrays of 64 MiB between the three steps; neither the input nor the result is there any more.
    assert 63 < found.grew_mib("begin", "ran", "C mmapped") < 300
    text, value = sentence(found, "ran", "onnxruntime's arena")
    assert f"is among the {format_bytes(value * MIB)} of large blocks of C" in text


def test_the_pool_of_pyarrow_is_what_it_holds_and_what_is_kept() -> None:
    # The memory is real, at the place where pyarrow's allocator asks for it; only its counter is written by hand.
    found = taken(
        """
        calls = _probe("heap_calls").Calls()
        at = calls.call("mmap", 3 << 40, 64 << 20, 3, 0x4022, -1, 0)  # private, anonymous, no swap reserved
        calls.call("memset", at, 1, 64 << 20)
        snapshot("pool")
        """
    )
    snapshot = found.files.snapshots.row(0, named=True)
    pools = POOLS.from_columns(
        {
            "pid": [snapshot["pid"]],
            "index": [0],
            "library": ["pyarrow"],
            "backend": ["mimalloc"],
            "held_bytes": [8 * MIB],
            "peak_bytes": [64 * MIB],
        }
    )
    files = found.files
    one = ledger(files.snapshots, files.mappings, files.claims, pools)
    sentences = [finding.sentence for finding in ledger_findings(one, files.snapshots, pools)]
    assert (
        "The pool of pyarrow (mimalloc) holds 8.00 MiB, the process keeps at most 64.0 MiB for it."
        in sentences
    )
    sentences = [
        finding.sentence for finding in ledger_findings(found.ledger, files.snapshots, POOLS.empty())
    ]
    assert "At most 64.0 MiB is held by other allocators." in sentences


def test_what_is_small_is_not_told_of() -> None:
    found = taken(ARRAYS, GLIBC_TUNABLES="glibc.malloc.mmap_threshold=131072")
    whole, in_c = said(found, "many: 46 MiB")
    assert whole.startswith("RSS of ")
    held = format_bytes(found.mib("many: 46 MiB", "C used", "C mmapped") * MIB)
    assert in_c == (
        f"{held} is in use through C's malloc, by Python's larger objects or by C code: "
        "diagtools record --ledger --holders tells them apart."
    )


def test_what_c_holds_is_told_by_the_objects_where_they_were_looked_at() -> None:
    found = taken(ARRAYS, GLIBC_TUNABLES="glibc.malloc.mmap_threshold=131072")
    files = found.files
    one = found.of("many: 46 MiB")
    (whole,) = ledger_findings(one, files.snapshots, files.pools, has_objects=True)
    assert whole.sentence.startswith("RSS of ")


def test_the_process_is_named_where_there_are_several() -> None:
    found = taken(FILES)
    files, one = found.files, found.of("begin")

    def first(n_others: int) -> str:
        process = "process 7 ('python', the command itself)"
        told = ledger_findings(one, files.snapshots, files.pools, process=process, n_others=n_others)
        return told[0].sentence

    assert " of process 7 ('python', the command itself) consists of " in first(0)
    assert first(0).endswith(" for all else.")
    assert first(1).endswith(" for all else; 1 other process has a ledger of its own.")
    assert first(1200).endswith("; 1,200 other processes have ledgers of their own.")


def test_a_difference_is_told_by_its_largest_changes() -> None:
    found = taken(FILES)
    difference = ledger_difference(found.of("copied: 16 MiB"), found.of("shared: 24 MiB"))
    finding = difference_finding(difference)
    assert finding.value == difference["delta_bytes"].sum()
    assert finding.sentence.startswith(
        f"RSS changed by +{format_bytes(finding.value or 0)}: shared memory +24.0 MiB"
    )
    nothing = difference_finding(ledger_difference(found.of("begin"), found.of("begin")))
    assert nothing.sentence == "RSS changed by +0 B."


# --- what is doubtful --------------------------------------------------------------------------------------


def doubts(found: Taken, **changed: object) -> dict[tuple[str, State], str]:
    """What is said beside a ledger whose snapshots were others."""
    snapshots = found.files.snapshots.with_columns(
        pl.lit(value, dtype=found.files.snapshots.schema[name]).alias(name) for name, value in changed.items()
    )
    one = ledger(snapshots, found.files.mappings, found.files.claims, POOLS.empty())
    return {(each.what, each.state): each.note for each in ledger_validity(one, snapshots)}


def test_nothing_is_doubtful_where_all_was_told() -> None:
    found = taken(ARRAYS, GLIBC_TUNABLES="glibc.malloc.mmap_threshold=131072")
    assert ledger_validity(found.ledger, found.files.snapshots) == ()


def test_each_thing_that_was_not_to_be_had_is_said_once() -> None:
    found = taken(FRAGMENTED)
    no_python = doubts(found, python_used_bytes=None)
    assert no_python[("Python used", State.SKIPPED)].startswith("Python's own allocator is not in use")
    musl = doubts(found, c_system_bytes=None, c_mmapped_bytes=None, libc="", malloc="ld-musl-x86_64.so.1")
    assert musl[("C used", State.SKIPPED)] == "this C library does not say what of its memory is in use"
    preloaded = doubts(found, c_system_bytes=None, c_mmapped_bytes=None, malloc="libjemalloc.so.2")
    assert preloaded[("C used", State.SKIPPED)].startswith(
        "malloc is that of libjemalloc.so.2, which is not asked"
    )
    blind = doubts(found, is_searched=False)
    assert blind[("Python used, C mmapped", State.CLAMPED)].startswith("the pages were not looked at")
    lost = doubts(found, c_mmapped_bytes=500 * MIB, c_found_bytes=0)
    assert lost[("C mmapped", State.CLAMPED)] == (
        "glibc counts 500 MiB of large blocks, 0 B was found in memory"
    )


def test_what_huge_pages_or_lost_blocks_may_be_of_the_unexplained_is_said() -> None:
    found = taken(FILES)
    notes = doubts(found, c_mmapped_bytes=40 * MIB, c_found_bytes=0)
    assert notes[("unexplained", State.CLAMPED)].startswith("up to 40.0 MiB of it may be blocks of C")


def test_from_outside_one_doubt_says_all() -> None:
    found = taken(FRAGMENTED)
    snapshots = found.files.snapshots.with_columns(pl.lit(OUTSIDE).alias("origin"))
    one = ledger(snapshots, found.files.mappings, CLAIMS.empty(), POOLS.empty())
    (doubt,) = ledger_validity(one, snapshots)
    assert doubt == Validity(what="ledger", state=State.SKIPPED, note=doubt.note)
    assert doubt.note.startswith("read from outside")


def test_pages_that_are_not_there_bound_what_is_used_and_free() -> None:
    found = taken(FRAGMENTED, "trim")
    notes = [each for each in ledger_validity(found.ledger, found.files.snapshots) if each.what == "C used"]
    assert [each.state for each in notes] == [State.CLAMPED]
    assert "may be free" in notes[0].note


def test_a_finding_carries_the_doubts_of_its_snapshot() -> None:
    found = taken(FRAGMENTED, PYTHONMALLOC="malloc")
    first = ledger_findings(found.of("objects"), found.files.snapshots, found.files.pools)[0]
    assert "Python used" in {doubt.what for doubt in first.validity}
    assert first.evidence is not None
    assert first.evidence.equals(found.of("objects"))
