"""What of a notebook is shown to somebody else, and in which form?

Everything foreign is treated alike, whoever executed the notebook: secrets are redacted, HTML is sanitised,
JavaScript and widgets are left out, charts are shown only if they load nothing.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup
from nbconvert.filters import Highlight2HTML, strip_ansi
from nbconvert.filters.markdown_mistune import InvalidNotebook, IPythonRenderer, MarkdownWithMath

from diagtools.present.renderer import draw_png, redacted, spoken
from diagtools.present.sanitise import sanitised
from diagtools.redact import redact_text

#: The key of an output's metadata under which an executed notebook carries its case for scripts.
CASE_KEY = "diagtools_case"

_MOST_HEADLINES = 12
_CHART = re.compile(r"application/vnd\.vegalite\.v[2-9]\+json")
_ACTING = {"application/javascript", "application/vnd.jupyter.widget-view+json"}
_PICTURES = ("image/svg+xml", "image/png", "image/jpeg")
_HEADING = re.compile(r"^#\s+(.+?)\s*#*\s*$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """One output in the form that is shown: a chart with its picture, a picture, HTML, or text."""

    text: str = ""
    html: Markup | None = None
    picture: str | None = None
    chart: Markup | None = None
    is_error: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One cell: prose, or code with its outputs."""

    prose: Markup | None = None
    code: Markup | None = None
    outputs: tuple[Output, ...] = ()


def headlines(notebook: Any) -> tuple[str, ...]:
    """What did the notebook's case conclude, in a few sentences?  Empty where it has none; secrets are redacted."""
    for cell in reversed(notebook.cells):
        for output in cell.get("outputs", []):
            case = output.get("metadata", {}).get(CASE_KEY)
            found = case.get("headlines") if isinstance(case, Mapping) else None
            if isinstance(found, list):
                return tuple(redact_text(line) for line in found[:_MOST_HEADLINES] if isinstance(line, str))
    return ()


def cells(notebook: Any) -> Iterator[Cell]:
    """The cells of an nbformat 4 notebook as they are shown; raw and empty cells are left out."""
    highlight = Highlight2HTML(pygments_lexer="ipython3")
    for cell in notebook.cells:
        source = redact_text(cell.source)
        if cell.cell_type == "markdown" and source.strip():
            yield Cell(prose=_prose(source, cell.get("attachments", {})))
        elif cell.cell_type == "code":
            shown = tuple(found for output in cell.get("outputs", []) if (found := _output(output)))
            if source.strip() or shown:
                yield Cell(code=_code(source, highlight), outputs=shown)


def title(notebook: Any, name: str) -> str:
    """The notebook's first heading, else its name."""
    prose = (cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    headings = (match[1] for source in prose if (match := _HEADING.search(source)))
    return redact_text(next(headings, name))


def _prose(source: str, attachments: dict[str, dict[str, str]]) -> Markup:
    renderer = IPythonRenderer(
        escape=False, attachments=attachments, embed_images=False, exclude_anchor_links=True
    )
    try:
        rendered = MarkdownWithMath(renderer=renderer).render(source)
    except InvalidNotebook:  # it refers to an attachment that is not there
        return _as_text(source)
    return Markup(sanitised(rendered)) or _as_text(source)


def _as_text(source: str) -> Markup:
    return Markup("<pre>{}</pre>").format(source)


def _code(source: str, highlight: Highlight2HTML) -> Markup | None:
    if not source.strip():
        return None
    marked = str(highlight(source))
    inner = marked[marked.index("<pre>") + len("<pre>") : marked.rindex("</pre>")]
    return Markup(inner)


def _output(output: Mapping[str, Any]) -> Output | None:
    kind = output["output_type"]
    if kind == "stream":
        return _text(output["text"])
    if kind == "error":
        lines = output.get("traceback") or [f"{output.get('ename', '')}: {output.get('evalue', '')}"]
        return _text("\n".join(lines), is_error=True)
    return _data(output.get("data", {}))


def _data(data: Mapping[str, Any]) -> Output | None:
    """The richest form that can be shown."""
    forms = (_chart, _html, _markdown, _picture)
    shown = next((found for form in forms if (found := form(data)) is not None), None)
    if shown is None and _ACTING & data.keys():
        return None
    return shown or _text(_joined(data.get("text/plain", data.get("text/latex", ""))))


def _text(text: str, *, is_error: bool = False) -> Output | None:
    settled = "\n".join(
        line.rstrip("\r").rpartition("\r")[2] for line in strip_ansi(_joined(text)).split("\n")
    )
    return Output(text=redact_text(settled.rstrip()), is_error=is_error) if settled.strip() else None


def _html(data: Mapping[str, Any]) -> Output | None:
    clean = sanitised(_joined(data.get("text/html", "")))
    return Output(html=Markup(clean)) if clean else None


def _markdown(data: Mapping[str, Any]) -> Output | None:
    source = redact_text(_joined(data.get("text/markdown", "")))
    return (
        Output(html=Markup('<div class="prose">{}</div>').format(_prose(source, {})))
        if source.strip()
        else None
    )


def _picture(data: Mapping[str, Any]) -> Output | None:
    kind = next((kind for kind in _PICTURES if kind in data), None)
    if kind is None:
        return None
    content = _joined(data[kind])
    if kind == "image/svg+xml":  # inside <img> an SVG can neither run nor load anything
        content = base64.b64encode(redact_text(content).encode("utf-8", "backslashreplace")).decode("ascii")
    alternative = redact_text(_joined(data.get("text/plain", "")))
    return Output(picture=f"data:{kind};base64,{content}", text=alternative) if _is_base64(content) else None


def _is_base64(content: str) -> bool:
    try:
        return bool(base64.b64decode("".join(content.split()), validate=True))
    except (binascii.Error, ValueError):
        return False


def _chart(data: Mapping[str, Any]) -> Output | None:
    kind = next((kind for kind in data if _CHART.fullmatch(kind)), None)
    spec = data[kind] if kind else None
    if not isinstance(spec, dict) or _loads(spec):
        return None
    safe = redacted({key: value for key, value in spec.items() if key not in ("usermeta", "$schema")})
    found = _picture(data)
    picture = found.picture if found else None
    if picture and safe != {key: spec[key] for key in safe}:  # a secret may stand in the picture too
        redrawn = base64.b64encode(draw_png(safe)).decode("ascii")
        picture = f"data:image/png;base64,{redrawn}"
    content = json.dumps(safe, separators=(",", ":")).replace("<", "\\u003c")
    return Output(chart=Markup(content), picture=picture, text=spoken(safe))


def _loads(spec: Any) -> bool:
    """Would this specification load something, or lead somewhere?  Data rows are not looked at."""
    if isinstance(spec, dict):
        looked_at = {key: value for key, value in spec.items() if key not in ("datasets", "values")}
        return "url" in spec or "href" in spec or any(map(_loads, looked_at.values()))
    return isinstance(spec, list) and any(map(_loads, spec))


def _joined(text: Any) -> str:
    return "".join(map(str, text)) if isinstance(text, list) else str(text)
