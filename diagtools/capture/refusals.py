"""Why did uv or pip not do what it was asked?  Their words, as one reason and one sentence."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from diagtools.redact import redact_text

_LONGEST = 300
#: How uv ends a proof.
_TAIL = re.compile(
    r"(?: and you require [^,]*)?, we can conclude that your requirements are unsatisfiable\.?$"
)


class Reason(StrEnum):
    """What kept packages from being installed."""

    UNREACHABLE = "no index can be reached"
    NOT_BUILT = "it cannot be built"
    OTHER_PYTHON = "it needs another Python"
    NO_WHEEL = "it has no wheel for this Python"
    UNKNOWN = "there is no such release"
    OTHER = "it cannot be installed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """One reason, and the words of the tool that show it."""

    reason: Reason
    evidence: str


#: In this order: without a network pip also says that there is no such release, a build says what it could not find.
_WORDS = {
    Reason.UNREACHABLE: (
        "error sending request|Failed to fetch|Network connectivity is disabled|NewConnectionError|ConnectTimeout"
        "|ReadTimeoutError|Read timed out|name resolution|Max retries exceeded|Connection (?:refused|reset|broken)"
        "|SSLError|ProxyError|Could not fetch URL"
    ),
    Reason.NOT_BUILT: (
        "Failed to (?:download and )?build|build backend|subprocess-exited-with-error|metadata-generation-failed"
        "|Failed building wheel|Could not build wheels"
    ),
    Reason.OTHER_PYTHON: "requires Python|does not satisfy Python|requires a different Python",
    Reason.NO_WHEEL: "no wheels? with a matching|has no usable wheels|is not a supported wheel",
    Reason.UNKNOWN: (
        "there (?:is|are) no versions? of|was not found in the|No matching distribution found"
        "|Could not find a version"
    ),
}


def refusal(said: str) -> Refusal:
    """Why, as far as the output of uv or pip tells?"""
    reason = next((reason for reason, words in _WORDS.items() if re.search(words, said)), Reason.OTHER)
    return Refusal(reason=reason, evidence=_evidence(said, reason))


def _evidence(said: str, reason: Reason) -> str:
    """The sentence that says it best: the deepest cause of uv, the last error of pip; shortened and without secrets."""
    lines = [line.strip(" \t×│╰─>") for line in said.splitlines()]
    causes = [line for line in _joined(said) if line.startswith("cause: ")]
    errors = [line for line in lines if re.match(r"(?i)error: |\w*(?:Error|Exit)\b", line)]
    if reason is Reason.UNREACHABLE:  # pip says in passing why, and at the end that it found nothing
        errors = re.findall(r"\[Errno -?\d+\] [\w ]+", said) or errors
    found = (causes[-1:] or errors[-1:] or [line for line in lines if line][-1:] or ["it said nothing"])[0]
    said = _TAIL.sub(".", found.removeprefix("cause: ").removeprefix("Because ").removeprefix("ERROR: "))
    text = " ".join(redact_text(said).split())
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _joined(said: str) -> list[str]:
    """The causes of uv, each of which goes on over lines that are indented further."""
    found: list[str] = []
    for line in said.splitlines():
        if line.startswith("         ") and found and found[-1].startswith("cause: "):
            found[-1] += f" {line.strip()}"
        else:
            found.append(line.strip())
    return found
