"""A notebook as one HTML file that works offline and carries no secret.

What the page may do is written into it as a Content-Security-Policy: no network, no eval, and only two scripts,
named by their hashes.  So even a script that slipped through the sanitiser would not run.  Charts are drawn by
one inlined copy of Vega; where scripts are off, their pictures stay.  Mathematics is shown as it was typed.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import nbformat
import vl_convert
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from nbconvert.exporters.exporter import Exporter
from traitlets import default

from diagtools.errors import DamagedError, UsageError
from diagtools.present import shown

_PAGE = Path(__file__).parent / "page"


def export_notebook(notebook: Path, destination: Path | None = None) -> Path:
    """Writes the notebook as one offline HTML file and returns where.

    Without ``destination`` that is beside the notebook; a folder takes the notebook's name.  Raises ``UsageError``
    where there is no notebook to read and ``DamagedError`` where the file is not one.
    """
    page = destination or notebook.with_suffix(".html")
    if page.is_dir():
        page = page / f"{notebook.stem}.html"
    exporter = OfflineHTMLExporter()  # type: ignore[no-untyped-call]  # nbconvert annotates no constructor
    html, _ = exporter.from_notebook_node(read_notebook(notebook), _named(notebook.stem))
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(html, encoding="utf-8", errors="backslashreplace", newline="\n")
    return page


def read_notebook(path: Path) -> Any:
    """The notebook in this file, in the current format.  Raises ``UsageError`` or ``DamagedError``."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(
            f"The notebook '{path}' cannot be read: {error.strerror}.", hint="diagtools export NOTEBOOK.ipynb"
        ) from error
    try:
        notebook = nbformat.reads(content.decode("utf-8"), as_version=4)
        nbformat.validate(notebook)
    except (ValueError, KeyError, AttributeError, TypeError, nbformat.ValidationError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DamagedError(
            f"'{path.name}' is not a Jupyter notebook: {reason[:200]}",
            hint="pass an .ipynb file that Jupyter opens; `diagtools show` is for the folder of a run.",
        ) from error
    return notebook


class OfflineHTMLExporter(Exporter):
    """An nbconvert exporter to one self-contained page; for ``jupyter nbconvert`` name it by its full path."""

    export_from_notebook = "One offline HTML file (diagtools)"
    output_mimetype = "text/html"

    @default("file_extension")
    def _html(self) -> str:
        return ".html"

    def from_notebook_node(self, nb: Any, resources: Any = None, **kw: Any) -> tuple[str, dict[str, Any]]:  # type: ignore[override]
        """The page of a notebook, and nbconvert's resources."""
        notebook, resources = super().from_notebook_node(nb, resources, **kw)
        cells = list(shown.cells(notebook))
        is_drawn = any(output.chart for cell in cells for output in cell.outputs)
        scripts = [_vega(), (_PAGE / "charts.js").read_text(encoding="utf-8")] if is_drawn else []
        name = resources["metadata"]["name"]
        page = _template().render(
            cells=cells,
            headlines=shown.headlines(notebook),
            title=shown.title(notebook, name),
            source=resources["metadata"].get("source", f"{name}.ipynb"),
            style=Markup((_PAGE / "page.css").read_text(encoding="utf-8")),
            scripts=[Markup(script) for script in scripts],
            policy=policy(scripts),
        )
        return page, resources


def policy(scripts: Sequence[str]) -> str:
    """What a page with these inline scripts, and no others, may do."""
    hashes = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts]
    allowed = " ".join(f"'sha256-{digest}'" for digest in hashes) or "'none'"
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


@cache
def _vega() -> str:
    """Vega, Vega-Lite and their embedding in one script that cannot end its own tag."""
    bundle = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")
    return bundle.replace("</script", "<\\/script").replace("<!--", "<\\!--")


@cache
def _template() -> Any:
    environment = Environment(
        loader=FileSystemLoader(_PAGE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html.j2")


def _named(name: str) -> dict[str, Any]:
    return {"metadata": {"name": name}}
