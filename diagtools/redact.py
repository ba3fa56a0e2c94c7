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
# A piece of a name between other characters than letters and digits, or the end of one written together.
_SECRET_NAME = re.compile(
    rf"(?<![A-Za-z0-9])(?i:{_SECRET_WORD})(?![A-Za-z0-9])"
    r"|(?i:password|passwd|passphrase|secret|apikey|accesskey|privatekey|(?:access|auth|refresh)token)(?![A-Za-z0-9])"
    r"|(?<=[a-z])Token(?![A-Za-z0-9])"
)
# Each of these looks at a character a bounded number of times (possessive where it repeats): a line of output may
# be a whole minified file.
_PATTERNS = (
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL),
    re.compile(r"\beyJ[A-Za-z0-9_-]{8,1000}+\.[A-Za-z0-9_-]{8,}+(?:\.[A-Za-z0-9_-]*+)?"),
    re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}|glpat-[A-Za-z0-9_-]{16,})"),
    re.compile(r"\b(?:xox[abeprs]-[A-Za-z0-9-]{10,}|sk-[A-Za-z0-9_-]{16,}|hf_[A-Za-z0-9]{20,})"),
    re.compile(r"\b(?:npm_[A-Za-z0-9]{30,}|pypi-[A-Za-z0-9_-]{16,}|AIza[A-Za-z0-9_-]{30,})"),
)
_URL_USER = re.compile(r"(?i)\b([a-z][a-z0-9+.-]{0,30}+://)[^/\s@:]*+:[^/\s@]++@")
# "Token" and "basic" are words as well: what follows counts where no word looks like it.
_SCHEME = re.compile(
    r"\b((?i:bearer)\s++|(?i:basic|token)\s++(?=[a-z._~+/=-]*+[0-9A-Z]))[A-Za-z0-9._~+/=-]{8,}"
)
_ASSIGNED_NAME = re.compile(r"""(?<![A-Za-z0-9_.-])([A-Za-z0-9_.-]++)\\{0,3}["']?\s*+[=:]\s*+""")
_VALUE = re.compile(
    r"""(?!\[redacted\]|(?i:bearer|basic)\s|[0-9]{1,7}(?![\w.-]))"""
    r"""(?:(?:[A-Za-z_.]*+\(|[bBrRfFuU]{1,2})?(?:"(?:[^"\\]|\\.)*+"|'(?:[^'\\]|\\.)*+')"""
    r"""|\\{0,3}["']?[^\s,;&"']++)"""
)
_HOMES = re.compile(
    r"(?<![\w.])(?:/home/|/Users/|[A-Za-z]:\\Users\\)[^/\\\s:'\"]+|(?<![\w.])/root(?=/|$|[\s:'\"])"
)
_KEPT_ENV = re.compile(
    r"PYTHON(?!STARTUP)[A-Z]*|MALLOC_[A-Z_]+|GLIBC_TUNABLES|LD_PRELOAD|OMP_\w+|MKL_\w+|OPENBLAS_\w+|ARROW_\w+"
    r"|POLARS_\w+|_?RJEM_MALLOC_CONF|MIMALLOC_\w+|CUDA_VISIBLE_DEVICES|LANG|LC_[A-Z]+|TZ|CI"
)


def redact_text(text: str) -> str:
    """The same text without secrets and with ``~`` for home folders."""
    for pattern in _PATTERNS:
        text = pattern.sub(MASK, text)
    text = _URL_USER.sub(rf"\1{MASK}@", text)
    text = _SCHEME.sub(rf"\1{MASK}", text)
    return _shorten_homes(_mask_assigned(text))


def _mask_assigned(text: str) -> str:
    """The same text without what is assigned to a name that sounds secret: ``api_key=…``, ``"token": "…"``."""
    kept, position = [], 0
    for name in _ASSIGNED_NAME.finditer(text):
        is_secret = name.start() >= position and _SECRET_NAME.search(name[1]) is not None
        value = _VALUE.match(text, name.end()) if is_secret else None
        if value is not None:
            kept += [text[position : name.end()], MASK]
            position = value.end()
    return "".join([*kept, text[position:]])


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
    home = _home()
    if len(home) > 1:
        text = re.sub(rf"{re.escape(home)}(?=$|[/\\\s:'\",])", "~", text)
    return _HOMES.sub("~", text)


def _home() -> str:
    try:
        return str(Path.home())
    except RuntimeError:  # a user without a name and without HOME
        return ""
