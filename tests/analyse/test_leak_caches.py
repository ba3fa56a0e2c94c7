"""What caches say beside the counters."""

from __future__ import annotations

from diagtools.analyse.leak_caches import limited_words, unlimited_words
from tests.support.leak_runs import log, rising


def row(
    stage: int, name: str, before: int, after: int, most: int | None, *, cleared: bool = False
) -> dict[str, object]:
    return {
        "stage": stage,
        "cache": name,
        "before_n": before,
        "after_n": after,
        "most_entries": most,
        "is_cleared": cleared,
    }


def test_a_cache_without_a_limit_is_named_with_what_it_holds() -> None:
    rows = [row(0, "app.f", 0, 600, None), row(1, "app.f", 600, 1400, None), row(1, "app.g", 0, 9, 128)]
    assert unlimited_words(log(caches=rows)) == " The cache of app.f has no limit and holds 1,400 entries."
    assert unlimited_words(log()) == ""


def test_what_a_full_cache_would_hold_is_called_predicted() -> None:
    rows = [row(0, "app.f", 0, 400, 10_000), row(2, "app.f", 1200, 2800, 10_000)]
    rows.append(row(3, "app.f", 2800, 0, 10_000, cleared=True))
    said = limited_words(log(c=rising(512), clearing=True, caches=rows))
    assert said == (
        "What grows goes with what has a limit: the cache of app.f was filling. "
        "Predicted: with all its 10,000 entries it holds 4.88 MiB."  # 512 B an entry
    )


def test_of_several_caches_nothing_is_predicted() -> None:
    rows = [row(3, name, 2800, 0, 10_000, cleared=True) for name in ("app.g", "app.f")]
    said = limited_words(log(c=rising(512), clearing=True, caches=rows))
    assert "app.f, app.g" in said
    assert "Predicted" not in said
