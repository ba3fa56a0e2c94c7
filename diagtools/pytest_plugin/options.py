"""Which figures were asked for, and which limits hold?  Everything wrong is said before the first test."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from diagtools.errors import UsageError
from diagtools.units import parse_bytes

THRESHOLD_VARIABLE = "DIAGTOOLS_THRESHOLD"
_WITH_PATH = ("--diag-dir", "--diag-html")
HTML_OF_RUN = ""  #: where no file is named: into the run folder

MARKERS = (
    "limit_rss(size): the test fails where the RSS rises by more than that while its function runs, such as '200 MB'.",
    "no_leak: the test's function is called again and again, and fails where each call leaves memory behind.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What is normal below a folder, or for tests with a marker; bytes."""

    name: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a session was asked to do; sizes in bytes, null where there is no such limit."""

    is_on: bool
    folder: Path | None
    is_traced: bool
    threshold: int | None
    cap: int | None
    delta_cap: int | None
    html: str | None
    suggest: bool
    expected: tuple[Expected, ...]


def add_options(parser: pytest.Parser) -> None:
    """The options and ini keys that measure."""
    group = parser.getgroup("diagtools", "memory of tests (diagtools)")
    add = group.addoption
    add("--diag", action="store_true", help="measure the memory of each test, fixture and file")
    add("--diag-dir", metavar="DIR", help="the run folder, new or empty; a new one in ./runs by default")
    add(
        "--diag-trace",
        action="store_true",
        help="Python's own allocations too, by tracemalloc: the RSS is then observed under a tracker",
    )
    add(
        "--diag-threshold",
        metavar="SIZE",
        help="say for tests that need more than this which lines asked for it; they run once more for that "
        f"(also ini diag_threshold and {THRESHOLD_VARIABLE})",
    )
    add("--diag-cap", metavar="SIZE", help="end the session when a process that runs tests holds more")
    add("--diag-delta-cap", metavar="SIZE", help="end the session when one test leaves more behind")
    add(
        "--diag-html",
        nargs="?",
        const=HTML_OF_RUN,
        metavar="FILE",
        help="one page that needs no network; report.html in the run folder by default",
    )
    add(
        "--diag-suggest",
        action="store_true",
        help="which tests make the suite heavy, and what without them and two workers give: it runs up to twice more",
    )
    parser.addini("diag_threshold", "as --diag-threshold", default="")
    parser.addini(
        "diag_expected_rss",
        "what is normal, a line each: 'tests/unit = 120 MB' for a folder, 'use_real_models = 900 MB' for a marker",
        type="linelist",
    )


def read_settings(config: pytest.Config) -> Settings:
    """What was asked for?  Raises ``pytest.UsageError`` with every mistake that there is."""
    mistakes: list[str] = []
    option = config.option
    sizes = {
        name: _size(f"--diag-{name.replace('_', '-')}", getattr(option, f"diag_{name}"), mistakes)
        for name in ("cap", "delta_cap")
    }
    threshold = _threshold(config, mistakes)
    expected = _expected(config, mistakes)
    mistakes += _paths_apart(config)
    if option.diag_html:
        mistakes += _page_mistakes(Path(option.diag_html))
    if mistakes:
        raise pytest.UsageError("\n".join(mistakes))
    asked = (option.diag_dir, option.diag_trace, option.diag_threshold, *sizes.values(), option.diag_suggest)
    return Settings(
        is_on=bool(option.diag or any(asked) or option.diag_html is not None),
        folder=Path(option.diag_dir).absolute() if option.diag_dir else None,
        is_traced=option.diag_trace,
        threshold=threshold,
        html=option.diag_html,
        suggest=option.diag_suggest,
        expected=expected,
        **sizes,
    )


def _threshold(config: pytest.Config, mistakes: list[str]) -> int | None:
    given = (
        ("--diag-threshold", config.option.diag_threshold),
        (THRESHOLD_VARIABLE, os.environ.get(THRESHOLD_VARIABLE)),
        ("diag_threshold", config.getini("diag_threshold")),
    )
    if config.option.diag_threshold is not None:
        return _size(*given[0], mistakes)
    name, text = next(((name, text) for name, text in given if text), ("", None))
    return _size(name, text, mistakes)


def _paths_apart(config: pytest.Config) -> Iterator[str]:
    """A path that stands apart from its option is taken for one of tests, before any plugin is asked."""
    words = [] if hasattr(config, "workerinput") else [str(word) for word in config.invocation_params.args]
    for option, value in pairwise(words):
        if option in _WITH_PATH and not value.startswith("-"):
            yield f"{option} {value}: pytest takes the path for one of tests. Hint: {option}={value}"


def _page_mistakes(page: Path) -> Iterator[str]:
    """What is there already, and no page, is not overwritten."""
    there = next(parent for parent in page.absolute().parents if parent.exists())
    if page.suffix.lower() not in (".html", ".htm") or page.is_dir():
        yield f"--diag-html={page}: that is no page. Hint: --diag-html=report.html"
    elif page.exists() and not page.read_bytes()[:100].lstrip().lower().startswith(b"<!doctype html"):
        yield f"--diag-html={page}: that file is there, and is no page. Hint: name another one."
    elif not os.access(there, os.W_OK):
        yield f"--diag-html={page}: '{there}' cannot be written to. Hint: name a file in a folder of yours."


def _size(name: str, text: str | None, mistakes: list[str]) -> int | None:
    return None if text is None else _tried(name, lambda: parse_bytes(text), mistakes)


def _tried(name: str, attempt: Callable[[], int], mistakes: list[str]) -> int | None:
    try:
        return attempt()
    except UsageError as error:
        mistakes.append(f"{name}: {error}")
        return None


def _expected(config: pytest.Config, mistakes: list[str]) -> tuple[Expected, ...]:
    found = []
    for line in config.getini("diag_expected_rss"):
        name, separator, text = (part.strip() for part in line.partition("="))
        if not separator or not name:
            mistakes.append(f"diag_expected_rss: {line!r} has no '='. Hint: write 'tests/unit = 120 MB'.")
            continue
        size = _size(f"diag_expected_rss, {name}", text, mistakes)
        if size is not None and _is_known(name, config, mistakes):
            found.append(Expected(name=name.rstrip("/"), size=size))
    return tuple(found)


def _is_known(name: str, config: pytest.Config, mistakes: list[str]) -> bool:
    if (config.rootpath / name).exists() or name in _marker_names(config):
        return True
    mistakes.append(
        f"diag_expected_rss: {name!r} is no path below '{config.rootpath}' and no registered marker. "
        "Hint: `pytest --markers` lists those."
    )
    return False


def _marker_names(config: pytest.Config) -> set[str]:
    lines: list[Any] = config.getini("markers")
    return {str(line).split(":")[0].split("(")[0].strip() for line in lines}


def marker_size(marker: pytest.Mark) -> int:
    """Which size does ``limit_rss`` name?  Raises ``UsageError``."""
    words = [*marker.args, *marker.kwargs.values()]
    if len(words) != 1 or set(marker.kwargs) - {"size"} or not isinstance(words[0], str):
        raise UsageError(
            f"limit_rss takes one size, it was given {shown(marker)}.",
            hint='@pytest.mark.limit_rss("200 MB")',
        )
    return parse_bytes(words[0])


def refuse(config: pytest.Config, items: list[pytest.Item], marker: str, text: str) -> None:
    """Runs no test, because of what is wrong with a marker; raises ``pytest.UsageError`` but in a worker of xdist.

    There it would be an internal error, and its text lost: the error is one of collecting, and no test is left.
    """
    if not hasattr(config, "workerinput"):
        raise pytest.UsageError(text)
    items.clear()
    config.hook.pytest_collectreport(report=pytest.CollectReport(marker, "failed", text, []))


def shown(marker: pytest.Mark) -> str:
    """The arguments of a marker as they were written."""
    words = [*map(repr, marker.args), *(f"{name}={value!r}" for name, value in marker.kwargs.items())]
    return f"({', '.join(words)})"
