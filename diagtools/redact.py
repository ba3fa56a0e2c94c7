"""What must not be shared: secrets in text, argument lists and environments, and the names of homes.

Used on everything that is written to be looked at elsewhere: ``run.json``, notebooks, exports, ``show``.
The raw output of a target stays in its run folder, which is local and git-ignored.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

MASK = "[redacted]"

_SECRET_WORD = (
    r"(?:pass(?:word|wd|phrase)?|pwd|secret|token|api[_-]?key|apikey|access[_-]?key|auth(?:orization)?"
    r"|credentials?|private[_-]?key|session(?:[_-]?id)?|cookie|bearer|signature|dsn)"
)
_NAME = (
    rf"(?<![A-Za-z0-9])(?:(?:[A-Za-z0-9_.-]*[-_.])?(?i:{_SECRET_WORD})(?:[-_.][A-Za-z0-9_.-]*)?"
    r"|[A-Za-z0-9]*[a-z](?:Token|Password|Passwd|Secret|ApiKey|AccessKey|PrivateKey))(?![A-Za-z0-9])"
)
_SECRET_NAME = re.compile(_NAME)
_PATTERNS = (
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.S),
    re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?"),
    re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}|glpat-[A-Za-z0-9_-]{16,})"),
    re.compile(r"\b(?:xox[abeprs]-[A-Za-z0-9-]{10,}|sk-[A-Za-z0-9_-]{16,}|hf_[A-Za-z0-9]{20,})"),
    re.compile(r"\b(?:npm_[A-Za-z0-9]{30,}|pypi-[A-Za-z0-9_-]{16,}|AIza[A-Za-z0-9_-]{30,})"),
)
_URL_USER = re.compile(r"(?i)\b([a-z][a-z0-9+.-]*://)[^/\s@:]*:[^/\s@]+@")
_BEARER = re.compile(r"(?i)\b(bearer|basic|token)(\s+)[A-Za-z0-9._~+/=-]{8,}")
_ASSIGNED = re.compile(
    rf"""({_NAME}["']?\s*[=:]\s*)(?!\[redacted\]|(?i:bearer|basic)\s|[0-9]{{1,7}}(?![\w.-]))"""
    r"""("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[^\s,;&"']+)"""
)
_HOMES = re.compile(r"(?<![\w.])(?:/home/|/Users/|[A-Za-z]:\\Users\\)[^/\\\s:'\"]+|(?<![\w.])/root(?=/|$|[\s:'\"])")
_KEPT_ENV = re.compile(
    r"PYTHON(?!STARTUP)[A-Z]*|MALLOC_[A-Z_]+|GLIBC_TUNABLES|LD_PRELOAD|OMP_\w+|MKL_\w+|OPENBLAS_\w+|ARROW_\w+"
    r"|POLARS_\w+|_?RJEM_MALLOC_CONF|MIMALLOC_\w+|CUDA_VISIBLE_DEVICES|LANG|LC_[A-Z]+|TZ|CI"
)


def redact_text(text: str) -> str:
    """The same text without secrets and with ``~`` for home folders."""
    for pattern in _PATTERNS:
        text = pattern.sub(MASK, text)
    text = _URL_USER.sub(rf"\1{MASK}@", text)
    text = _BEARER.sub(rf"\1\2{MASK}", text)
    text = _ASSIGNED.sub(rf"\1{MASK}", text)
    return _shorten_homes(text)


def redact_argv(argv: Iterable[str]) -> tuple[str, ...]:
    """The same command line without secrets, also where flag and value are two arguments."""
    shown: list[str] = []
    value_is_secret = False
    for argument in argv:
        if value_is_secret and not argument.startswith("-"):
            shown.append(MASK)
            value_is_secret = False
            continue
        shown.append(redact_text(argument))
        is_flag = argument.startswith("-") and "=" not in argument
        value_is_secret = is_flag and _SECRET_NAME.search(argument.lstrip("-")) is not None
    return tuple(shown)


def redact_env(env: Mapping[str, str]) -> dict[str, str]:
    """The variables that matter to memory, with their values; all others are left out."""
    return {name: redact_text(value) for name, value in sorted(env.items()) if _KEPT_ENV.fullmatch(name)}


def redact_path(path: Path | str) -> str:
    """The same path with ``~`` for a home folder."""
    return _shorten_homes(os.fspath(path))


def _shorten_homes(text: str) -> str:
    home = os.path.expanduser("~")
    if len(home) > 1:
        text = re.sub(rf"{re.escape(home)}(?=$|[/\\\s:'\",])", "~", text)
    return _HOMES.sub("~", text)
