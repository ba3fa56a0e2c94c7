"""The form in which charts survive sharing: interactive where a notebook is opened, a picture where it is only shown.

One output holds the Vega-Lite specification (JupyterLab draws it, in untrusted notebooks too and offline), a PNG
(git hosts and mail show that) and the title as text.  It holds no HTML, which would win over both and run nowhere.

JupyterLab 4 knows Vega-Lite up to version 5, and Altair 6 writes version 6.  The charts of this package use what
both have; the schema's address is set to version 5, and a test compiles each chart with both.
"""

from __future__ import annotations

import base64
from typing import Any

import altair as alt
import vl_convert

from diagtools.present.png import packed
from diagtools.redact import redact_text

NAME = "diagtools"
VEGALITE = "application/vnd.vegalite.v5+json"
SCHEMA = "https://vega.github.io/schema/vega-lite/v5.json"
_SCALES = (1.5, 1.0)
_MOST_PNG_BYTES = 200_000


def enable() -> None:
    """Makes Altair show every chart of this process in this form; calling it twice changes nothing."""
    if NAME not in alt.renderers.names():
        alt.renderers.register(NAME, bundle)
    alt.renderers.enable(NAME)


def bundle(spec: dict[str, Any], **_options: Any) -> dict[str, Any]:
    """Which forms does this specification take in a notebook?"""
    shown = redacted({**spec, "$schema": SCHEMA})
    picture = base64.b64encode(draw_png(spec)).decode("ascii")
    return {VEGALITE: shown, "image/png": picture, "text/plain": spoken(shown)}


def redacted(value: Any) -> Any:
    """The same specification, or any part of one, without secrets and with ``~`` for homes."""
    if isinstance(value, str):
        return redact_text(value)
    if isinstance(value, dict):
        return {key: redacted(inner) for key, inner in value.items()}
    return [redacted(inner) for inner in value] if isinstance(value, list) else value


def draw_png(spec: dict[str, Any]) -> bytes:
    """The picture of a specification: half as large again as on screen, unless that passes 200 KB.

    Nothing is loaded, and secrets are redacted.
    """
    picture, safe = b"", redacted(spec)
    for scale in _SCALES:
        picture = packed(vl_convert.vegalite_to_png(safe, scale=scale, allowed_base_urls=[]))
        if len(picture) <= _MOST_PNG_BYTES:
            break
    return picture


def spoken(spec: dict[str, Any]) -> str:
    """What does the chart say, for those who see neither chart nor picture?"""
    titles = [
        _words(part.get("title")) for part in (spec, *spec.get("vconcat", [])) if isinstance(part, dict)
    ]
    said = ". ".join(title for title in titles if title)
    return f"Chart: {said}" if said else "Chart"


def _words(title: object) -> str:
    if isinstance(title, dict):
        return _words(title.get("text"))
    if isinstance(title, list):
        return " ".join(str(line) for line in title)
    return str(title) if title else ""
