"""Charts, tables and sentences as one HTML file that needs no network, without a notebook or a kernel."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import altair as alt
import nbformat
from nbformat import v4

from diagtools.errors import UsageError
from diagtools.present import renderer
from diagtools.present.exporter import OfflineHTMLExporter
from diagtools.present.shareable import shareable

_HINT = "name a file in a folder that takes one."


def write_page(shown: Iterable[Any], page: Path, *, heading: str, source: str) -> Path:
    """Writes what shows itself, in this order, and returns where; ``source`` is what all of it was made of.

    Secrets are redacted and everything foreign is escaped, as on the page of a notebook.  Raises ``UsageError`` where
    the file cannot be written.
    """
    cells = [v4.new_markdown_cell(f"# {heading}"), *(_cell(one) for one in shown)]
    notebook = shareable(nbformat.from_dict(v4.new_notebook(cells=cells)), working_folder=Path.cwd())
    exporter = OfflineHTMLExporter()  # type: ignore[no-untyped-call]  # nbconvert annotates no constructor
    html, _ = exporter.from_notebook_node(notebook, {"metadata": {"name": page.stem, "source": source}})
    try:
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(html, encoding="utf-8", errors="backslashreplace", newline="\n")
    except OSError as error:
        raise UsageError(f"'{page}' cannot be written: {error.strerror}.", hint=_HINT) from error
    return page


def _cell(shown: Any) -> Any:
    data = (
        renderer.bundle(shown.to_dict())
        if isinstance(shown, alt.TopLevelMixin)
        else shown._repr_mimebundle_()
    )
    return v4.new_code_cell(outputs=[v4.new_output("display_data", data=data)])
