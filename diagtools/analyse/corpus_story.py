"""What does a scan of a corpus say, in sentences whose every number comes from its frames?"""

from __future__ import annotations

import polars as pl

from diagtools.analyse.corpus import GENERATED, UNREADABLE
from diagtools.analyse.corpus_forecast import PeakModel, Prediction, predict
from diagtools.analyse.corpus_totals import MOST_FOLDERS, Tally
from diagtools.redact import redact_text
from diagtools.units import format_bytes, format_share
from diagtools.values import Finding, State, Validity

_N_REASONS = 4
_N_NAMED = 3
_LONGEST = 120  # characters of a path
#: Reasons that say something could not be seen, unlike those that say it was not to be.
_NOT_SEEN = "^cannot be"


def corpus_findings(tally: Tally) -> list[Finding]:
    """What does the corpus hold, which part of it is generated or vendored, and what was passed over?"""
    found = (_whole(tally), _generated(tally), _vendored(tally), _largest(tally), _passed_over(tally))
    return [finding for finding in found if finding is not None]


def forecast_findings(model: PeakModel, tally: Tally, source: str) -> list[Finding]:
    """What peak is predicted, what would it be without generated files, and what does that rest on?

    ``source`` names the run that the model was learned from; empty for a model that was given.
    """
    prediction = predicted(model, tally)
    if prediction is None:
        return [
            Finding(
                sentence="No file of the corpus is of those that the indexer takes: no peak is predicted."
            )
        ]
    found = [_peak(model, prediction, source), _basis(model, tally, source)]
    hand_written = predicted(model, tally, without=GENERATED)
    if hand_written is not None and hand_written.value < prediction.value:
        sentence = (
            f"Predicted without the generated files: {_range(hand_written)} {_at(model, hand_written)}."
        )
        found.append(Finding(sentence=sentence, value=hand_written.peak_bytes, unit="B"))
    return [finding for finding in found if finding is not None]


def predicted(model: PeakModel, tally: Tally, *, without: str | None = None) -> Prediction | None:
    """Which peak does the largest file give, of those that an indexer takes?  Null where it takes none."""
    files = tally.largest if without is None else tally.largest.filter(pl.col("kind") != without)
    value = files[model.column].max()
    return predict(model, float(value)) if isinstance(value, int | float) else None


def budget_finding(model: PeakModel, tally: Tally, limit_bytes: int) -> Finding:
    """Which files would break this budget, each alone?"""
    n, limit = tally.n_over, format_bytes(limit_bytes)
    most = max(0.0, model.within(limit_bytes))
    if not n:
        least = _units(model, most)
        sentence = f"Predicted: no file would break the budget of {limit}; one of more than {least} would."
        return Finding(sentence=sentence, value=0, unit="files")
    names = [_shown(path) for path in breaking(tally)["path"].head(_N_NAMED)]
    more = f" and {n - len(names):,} more" if n > len(names) else ""
    verb = "file would" if n == 1 else "files would"
    sentence = (
        f"Predicted: {n:,} {verb} break the budget of {limit}, each of more than {_units(model, most)}: "
        f"{', '.join(names)}{more}."
    )
    return Finding(sentence=sentence, value=n, unit="files", evidence=breaking(tally))


def breaking(tally: Tally) -> pl.DataFrame:
    """The files that would break the budget, the largest first (CORPUS): the largest hundred of each kind at most."""
    if tally.most is None:
        return tally.largest.clear()
    over = tally.largest.filter(pl.col(tally.rank) > tally.most)
    return over.sort(tally.rank, "size_bytes", "path", descending=[True, True, False])


def check_finding(
    prediction: Prediction, peak_bytes: int, *, is_bound: bool, source: str, n_items: int, n_files: int
) -> Finding:
    """Did a run peak where it was predicted?

    ``is_bound``: it was cut short, its peak is a lower bound.  ``n_items`` is how many files it began, ``n_files`` of
    how many the prediction is: a run over others checks nothing, and the two numbers are said.
    """
    real = f"{_shown(source)} peaked at {'least ' if is_bound else ''}{format_bytes(peak_bytes)}"
    if is_bound and peak_bytes <= prediction.high_bytes:
        verdict = "which the prediction allows; a run that was cut short cannot say more"
    elif prediction.low_bytes <= peak_bytes <= prediction.high_bytes:
        verdict = "within the predicted range"
    else:
        verdict = "outside the predicted range"
    off = prediction.peak_bytes / peak_bytes - 1
    how = f"{format_share(abs(off))} too {'high' if off > 0 else 'low'}"
    exactly = "" if is_bound else f" (the middle is {how})"
    other = (
        ""
        if n_items == n_files
        else f" It began {n_items:,} items, the prediction is for {_count(n_files, 'file')}."
    )
    sentence = f"{real}, {verdict}: {_range(prediction)}{exactly}.{other}"
    return Finding(sentence=sentence, value=None if is_bound else off, unit="share")


def corpus_validity(tally: Tally) -> tuple[Validity, ...]:
    """What of the corpus is not known?"""
    unseen = tally.passed_over.filter(pl.col("reason").str.contains(_NOT_SEEN))
    found = [
        Validity(what=_entries(row), state=State.SKIPPED, note=f"{row['reason']}: {_short(row['example'])}")
        for row in unseen.iter_rows(named=True)
    ]
    if tally.is_folded:
        note = f"more than {MOST_FOLDERS:,}: of the deepest, some are counted with their parents"
        found.append(Validity(what="folders", state=State.DECIMATED, note=note))
    return tuple(found)


def _whole(tally: Tally) -> Finding:
    whole = tally.whole
    sentence = (
        f"{_count(whole['n_files'], 'file')} with {format_bytes(whole['size_bytes'])} of text, "
        f"about {_count(whole['n_chunks'], 'chunk')} (estimated)."
    )
    return Finding(sentence=sentence, value=whole["size_bytes"], unit="B", evidence=tally.kinds)


def _generated(tally: Tally) -> Finding | None:
    rows = tally.kinds.filter(pl.col("key") == GENERATED)
    if rows.is_empty():
        return None
    shares = _shares(rows, tally)
    sentence = f"Generated: {shares}."
    return Finding(sentence=sentence, value=rows["size_bytes"][0], unit="B", evidence=tally.largest)


def _vendored(tally: Tally) -> Finding | None:
    if tally.vendored.is_empty():
        return None
    names = ", ".join(_shown(key) for key in tally.vendored["key"].head(_N_NAMED))
    more = "" if tally.vendored.height <= _N_NAMED else " and others"
    sentence = f"Vendored (below {names}{more}): {_shares(tally.vendored, tally)}."
    return Finding(sentence=sentence, value=int(tally.vendored["size_bytes"].sum()), unit="B")


def _shares(rows: pl.DataFrame, tally: Tally) -> str:
    whole = tally.whole
    n_files, n_bytes, n_chunks = (int(rows[name].sum()) for name in ("n_files", "size_bytes", "n_chunks"))
    return (
        f"{_count(n_files, 'file')} ({_share(n_files, whole['n_files'])} of all) hold{'s' if n_files == 1 else ''} "
        f"{_share(n_bytes, whole['size_bytes'])} of the bytes and {_share(n_chunks, whole['n_chunks'])} of the chunks"
    )


def _largest(tally: Tally) -> Finding | None:
    readable = tally.largest.filter(pl.col("kind") != UNREADABLE).drop_nulls("n_chunks")
    if readable.is_empty():
        return None
    top = readable.sort("n_chunks", "size_bytes", "path", descending=[True, True, False])
    first = top.row(0, named=True)
    why = f": {first['why']}" if first["why"] else ""
    others = top.filter(pl.col("kind") != first["kind"])
    second = "" if others.is_empty() else _beside(others.row(0, named=True))
    of = "" if tally.suffixes is None else " that the indexer takes"
    what = f"{_shown(first['path'])}, {_chunks(first)}, {first['kind']}{why}"
    sentence = f"The largest file{of} is {what}{second}."
    return Finding(sentence=sentence, value=first["n_chunks"], unit="chunks", evidence=top)


def _beside(row: dict[str, object]) -> str:
    return f"; the largest {row['kind']} one is {_shown(str(row['path']))}, {_chunks(row)}"


def _chunks(row: dict[str, object]) -> str:
    return f"about {_count(int(str(row['n_chunks'])), 'chunk')}"


def _passed_over(tally: Tally) -> Finding | None:
    rows = tally.passed_over
    if rows.is_empty():
        return None
    n = int(rows["n_files"].sum()) + int(rows["n_folders"].sum())
    parts = [f"{_entries(row)} ({row['reason']})" for row in rows.head(_N_REASONS).iter_rows(named=True)]
    more = "; …" if rows.height > _N_REASONS else ""
    sentence = f"Passed over, and in no figure above: {'; '.join(parts)}{more}."
    return Finding(sentence=sentence, value=n, unit="entries", evidence=rows)


def _entries(row: dict[str, object]) -> str:
    counts = ((int(str(row["n_files"])), "file"), (int(str(row["n_folders"])), "folder"))
    return " and ".join(_count(n, what) for n, what in counts if n)


def _peak(model: PeakModel, prediction: Prediction, source: str) -> Finding:
    far = ""
    if prediction.is_far and model.seen is not None:
        far = (
            f" That is {prediction.times_seen:.1f} × the largest file of the run ({_units(model, model.seen)}): "
            "a range is all that can be said; record a run with a larger file to narrow it."
        )
    sentence = f"Predicted peak{_by(source)}: {_range(prediction)} {_at(model, prediction)}.{far}"
    return Finding(sentence=sentence, value=prediction.peak_bytes, unit="B")


def _basis(model: PeakModel, tally: Tally, source: str) -> Finding | None:
    unit, n_units = ("a chunk", 1) if model.column == "n_chunks" else (f"a unit of {model.feature}", 1)
    if model.column == "size_bytes":
        unit, n_units = "a KiB", 1024
    cost = f"{format_bytes(model.bytes_per_unit * n_units)} {unit} of the largest file"
    base = f"on top of {format_bytes(model.intercept_bytes)}"
    if model.r2 is None:
        return Finding(sentence=f"The prediction rests on what was given: {cost} {base}.")
    taken = " It counts all files: the items of the run do not name any."
    if tally.suffixes is not None:
        names = ", ".join(sorted(tally.suffixes)[:_N_REASONS])
        more = ", …" if len(tally.suffixes) > _N_REASONS else ""
        taken = (
            f" It counts the {tally.n_taken:,} files whose names end as those of the run do ({names}{more})."
        )
    sentence = f"Learned from {model.n_items:,} items (R² {model.r2:.2f}): {cost} {base}.{taken}"
    return Finding(sentence=sentence, value=model.r2, unit="R²")


def _range(prediction: Prediction) -> str:
    low, high = format_bytes(prediction.low_bytes), format_bytes(prediction.high_bytes)
    if prediction.is_far:
        return f"{low} to {high}"
    return f"{format_bytes(prediction.peak_bytes)} ({low} to {high})"


def _at(model: PeakModel, prediction: Prediction) -> str:
    return f"for a largest file of {_units(model, prediction.value)}"


def _units(model: PeakModel, value: float) -> str:
    if model.column == "size_bytes":
        return format_bytes(value)
    names = {"n_chunks": "chunk", "n_lines": "line", "longest_line": "character"}
    about = "about " if model.column == "n_chunks" else ""
    where = " in one line" if model.column == "longest_line" else ""
    return f"{about}{_count(int(value), names[model.column])}{where}"


def _by(source: str) -> str:
    return f" of an indexer like that of {_shown(source)}" if source else ""


def _share(part: int, whole: int) -> str:
    return format_share(part / whole) if whole else "0 %"


def _count(n: int, thing: str) -> str:
    return f"{n:,} {thing}{'' if n == 1 else 's'}"


def _shown(name: str) -> str:
    return repr(_short(redact_text(name)))


def _short(path: str) -> str:
    """Its end, where it is very long: nested folders add up."""
    return path if len(path) <= _LONGEST else f"…{path[-_LONGEST:]}"
