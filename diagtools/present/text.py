"""What a terminal shows: one run explained, and one case in ten lines.

Plain text of at most 100 columns.  Colour only where the caller asks for it: ``wants_colour`` says whether a
stream takes it.
"""

from __future__ import annotations

import os
import shlex
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TextIO

import polars as pl

from diagtools.present import tables
from diagtools.present.names import printable, shortened
from diagtools.present.wording import SIGNS, change, measured, of_limit, where_it_ended
from diagtools.redact import redact_argv, redact_path, redact_text
from diagtools.units import format_bytes, format_seconds
from diagtools.values import Death, Effect, Ending, Finding, State, Validity, Verdict

WIDTH = 100
_N_COMMAND_LINES = 3
_N_ITEMS = 5
_N_FOLDERS = 3
_NAME_LENGTH = 52
_BOLD, _RED, _GREEN, _PLAIN = "\x1b[1m", "\x1b[31m", "\x1b[32m", "\x1b[0m"


def wants_colour(stream: TextIO, env: Mapping[str, str] | None = None) -> bool:
    """Does this stream take colour?  A terminal that is not dumb, unless NO_COLOR says otherwise."""
    env = os.environ if env is None else env
    return stream.isatty() and not env.get("NO_COLOR") and env.get("TERM") != "dumb"


def run_summary(
    *,
    name: str,
    argv: Sequence[str] = (),
    death: Death | None = None,
    exit_status: int | None = None,
    ending: Ending = Ending.UNKNOWN,
    peak_bytes: int | None = None,
    peak_is_bound: bool = False,
    limit_bytes: int | None = None,
    limit_counts_rss: bool = True,
    duration_s: float | None = None,
    item_in_flight: str | None = None,
    by_item: pl.DataFrame | None = None,
    by_folder: pl.DataFrame | None = None,
    unattributed_bytes: int | None = None,
    last_log_lines: Sequence[str] = (),
    findings: Sequence[Finding] = (),
    validity: Sequence[Validity] = (),
    colour: bool = False,
) -> str:
    """What happened in this run, for somebody at a terminal?

    ``by_item`` and ``by_folder`` are CONTRIBUTORS.  The verdict comes first, then the figures, the findings, who asked
    for the memory, the program's last words, and what is not to be trusted.  Secrets and homes are redacted.
    """
    verdict = _verdict(death, exit_status, ending, item_in_flight)
    is_comparable = limit_counts_rss and all(one.state is not State.SHARED_N_TIMES for one in validity)
    peak = _peak(peak_bytes, limit_bytes if is_comparable else None, is_bound=peak_is_bound)
    blocks = [
        [*_wrapped(redact_path(name)), *_command(argv)],
        [_painted(line, _RED if death else _BOLD, colour) for line in _wrapped(verdict)],
        _facts(death, exit_status, peak, limit_bytes, duration_s, item_in_flight),
        _block("Findings", (f"• {redact_text(str(finding))}" for finding in findings)),
        _contributors("Who asked for memory, at its peak", by_item, _N_ITEMS),
        _contributors("By folder", by_folder, _N_FOLDERS),
        _unattributed(unattributed_bytes, by_item),
        _block("Last log lines", (f"| {redact_text(line)}" for line in last_log_lines), clip=True),
        _block(
            "Not to be trusted fully", (f"• {one}" for one in validity if one.state is not State.COMPLETE)
        ),
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block)


def case_summary(
    *,
    question: str,
    effects: Sequence[Effect] = (),
    findings: Sequence[Finding] = (),
    paths: Sequence[Path] = (),
    n_lines: int = 10,
    colour: bool = False,
) -> str:
    """What did the investigation find, in at most ``n_lines`` lines, each of at most 100 columns?

    The question, a line a theory, then as many findings as there is room for, and where the result lies.
    """
    theories = [_painted(_clip(_theory(effect)), _SHADES[effect.verdict], colour) for effect in effects]
    places = [f"→ {redact_path(path)}" for path in paths]  # never clipped: it is copied from here
    fixed = [_painted(_clip(question), _BOLD, colour), *theories]
    room = max(n_lines - len(fixed) - len(places), 0)
    found = [_clip(f"• {redact_text(str(finding))}") for finding in findings]
    if len(found) > room:
        more = f"• and {len(found) - room + 1} more findings, in the notebook"
        found = [*found[: room - 1], more] if room else []
    return "\n".join([*fixed[:n_lines], *found, *places])


def sentences(findings: Iterable[Finding | str]) -> str:
    """Findings as points, a paragraph each, without secrets."""
    lines = (f"• {redact_text(str(finding))}" for finding in findings)
    return "\n".join(part for line in lines for part in _wrapped(line, indent=1))


_SHADES = {Verdict.CONFIRMED: _GREEN, Verdict.REFUTED: _RED, Verdict.INCONCLUSIVE: ""}


def _theory(effect: Effect) -> str:
    metric, hypothesis = effect.hypothesis.metric, effect.hypothesis
    before = measured(metric, effect.baseline_value, is_bound=effect.baseline_is_bound)
    after = measured(metric, effect.variant_value, is_bound=effect.variant_is_bound)
    verdict = f"{SIGNS[effect.verdict]} {effect.verdict:<12} {shortened(hypothesis.name, 40)}"
    if effect.baseline_value is None and effect.variant_value is None:
        return f"{verdict}: {effect.reason}"
    return f"{verdict}: {before} → {after}, {change(effect)}"


_UNSEEN = {
    Ending.ENDED: "Ended, its exit status was not seen",
    Ending.WENT_ON: "The recording was stopped, the program went on",
    Ending.UNKNOWN: "The recording ended before the program did",
}


def _verdict(death: Death | None, exit_status: int | None, ending: Ending, item: str | None) -> str:
    if death is not None:
        words = where_it_ended(death, None, item)
        return f"{words[0].upper()}{words[1:]} ({death.grade})"
    if exit_status is None:
        return _UNSEEN[ending]
    return "Finished" if exit_status == 0 else f"Failed with exit status {exit_status}"


def _facts(
    death: Death | None,
    exit_status: int | None,
    peak: str,
    limit_bytes: int | None,
    duration_s: float | None,
    item_in_flight: str | None,
) -> list[str]:
    facts = {
        "peak": peak,
        "limit": format_bytes(limit_bytes) if limit_bytes else "none",
        "lasted": "not known" if duration_s is None else format_seconds(duration_s),
        "exit status": "not known" if exit_status is None else str(exit_status),
        **({"in flight": printable(redact_text(item_in_flight))} if item_in_flight else {}),
    }
    lines = [_clip(f"{label:<12} {value}") for label, value in facts.items()]
    evidence = [f"• {redact_text(line)}" for line in death.evidence] if death else []
    told = [part for line in evidence for part in _wrapped(line, indent=13)]
    return [*lines, *(f"{'evidence':<12} {line[13:]}" if line is told[0] else line for line in told)]


def _peak(peak_bytes: int | None, limit_bytes: int | None, *, is_bound: bool) -> str:
    """The peak, beside the limit where both count the same memory."""
    if peak_bytes is None:
        return "not measured"
    return f"{'at least ' if is_bound else ''}{of_limit(peak_bytes, limit_bytes)}"


def _contributors(heading: str, frame: pl.DataFrame | None, n: int) -> list[str]:
    if frame is None or frame.is_empty():
        return []
    columns = {
        "key": tables.Column(heading=heading, words=_name, is_number=False),
        "demand_bytes": tables.size("own demand"),
        "delta_bytes": tables.size("kept"),
        "share": tables.share("of the rise"),
    }
    rest = frame.height - n
    more = [f"  and {rest:,} more"] if rest > 0 else []
    return [*tables.Table(frame.head(n), columns).lines(), *more]


def _name(key: str) -> str:
    return f"  {shortened(redact_text(key), _NAME_LENGTH)}"


def _unattributed(n_bytes: int | None, by_item: pl.DataFrame | None) -> list[str]:
    if n_bytes is None or by_item is None or by_item.is_empty():
        return []
    words = "Growth" if n_bytes >= 0 else "Given back"
    return [f"{words} while no item was in flight: {format_bytes(abs(n_bytes))}"]


def _block(heading: str, lines: Iterable[str], *, clip: bool = False) -> list[str]:
    body = [part for line in lines for part in ([_clip(f"  {line}")] if clip else _wrapped(line, indent=2))]
    return [heading, *body] if body else []


def _command(argv: Sequence[str]) -> list[str]:
    lines = _wrapped(f"$ {shlex.join(redact_argv(argv))}")
    return [*lines[:_N_COMMAND_LINES], *(["  …"] if len(lines) > _N_COMMAND_LINES else [])] if argv else []


def _clip(line: str) -> str:
    line = _shown(line)
    return line if len(line) <= WIDTH else line[: WIDTH - 1] + "…"


def _wrapped(line: str, *, indent: int = 0) -> list[str]:
    rest = " " * (indent + 2 if indent else 0)
    return textwrap.wrap(_shown(line), WIDTH, initial_indent=" " * indent, subsequent_indent=rest)


def _shown(line: str) -> str:
    """One line without control characters: what a target printed must not steer the terminal."""
    return printable(line.replace("\t", "    "))


def _painted(line: str, shade: str, colour: bool) -> str:
    return f"{shade}{line}{_PLAIN}" if colour and shade else line
