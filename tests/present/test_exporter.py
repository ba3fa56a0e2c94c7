"""The page: one file, no network, no secret, and a chart that a browser draws."""

from __future__ import annotations

import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import pytest

from diagtools.errors import DamagedError, UsageError
from diagtools.present import renderer
from diagtools.present.charts.timeline import timeline_chart
from diagtools.present.exporter import OfflineHTMLExporter, export_notebook
from diagtools.present.tables import Table

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
LOADING = (
    "src",
    "srcset",
    "data",
    "poster",
    "background",
    "action",
    "formaction",
    "manifest",
    "ping",
    "xlink:href",
)


class Page(HTMLParser):
    """What a page holds: tags, attributes, styles, scripts."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.attributes: list[tuple[str, str, str]] = []
        self.text: dict[str, list[str]] = {"script": [], "style": []}
        self._inside: list[str] | None = None
        self.feed(html)

    def handle_starttag(self, tag, attrs) -> None:
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        self._inside = self.text.get(tag)
        if self._inside is not None:
            self._inside.append("")

    def handle_endtag(self, tag) -> None:
        self._inside = None

    def handle_data(self, data) -> None:
        if self._inside is not None:
            self._inside[-1] += data


@pytest.fixture(scope="module")
def notebook(killed, hostile) -> nbformat.NotebookNode:
    import polars as pl

    def output(data: dict) -> nbformat.NotebookNode:
        return nbformat.v4.new_output("execute_result", data=data, execution_count=1)

    chart = renderer.bundle(timeline_chart(killed.tree, **killed.arguments).to_dict())
    table = Table(pl.DataFrame({"file": [hostile], "peak": ["2.00 GiB"]}))._repr_mimebundle_()
    evil = {
        "text/html": "<script>document.title='owned'</script><b onclick=x()>kept</b><img src=http://e.org/x.png>"
    }
    cells = [
        nbformat.v4.new_markdown_cell(
            "# What killed it\n\nSee <https://example.org/>, `code` and ![x](http://e.org/y.png)."
        ),
        nbformat.v4.new_code_cell("case.timeline()  # password=hunter2", outputs=[output(chart)]),
        nbformat.v4.new_code_cell("case.table()", outputs=[output(table), output(evil)]),
    ]
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    return nbformat.v4.new_notebook(cells=cells)


@pytest.fixture(scope="module")
def page(notebook, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("export") / "02-case.ipynb"
    nbformat.write(notebook, path)
    return export_notebook(path)


def test_the_page_lies_beside_the_notebook_and_is_small(page: Path) -> None:
    assert page.name == "02-case.html"
    assert 900_000 < page.stat().st_size < 1_300_000


def test_nothing_is_loaded(page: Path) -> None:
    found = Page(page.read_text(encoding="utf-8"))
    loaded = [
        value for _, name, value in found.attributes if name in LOADING and not value.startswith("data:")
    ]
    assert loaded == []
    assert {tag for tag, *_ in found.attributes} & {"link", "iframe", "object", "embed", "base"} == set()
    styles = [*found.text["style"], *(value for _, name, value in found.attributes if name == "style")]
    assert not [style for style in styles if re.search(r"@import|url\(|https?:", style)]
    assert [value for tag, name, value in found.attributes if name == "href"] == ["https://example.org/"]


def test_the_policy_forbids_the_network_and_all_scripts_but_two(page: Path) -> None:
    found = Page(page.read_text(encoding="utf-8"))
    (policy,) = [value for tag, name, value in found.attributes if value.startswith("default-src")]
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe-eval" not in policy
    assert "http" not in policy
    assert "'unsafe-inline'" not in policy.split("style-src")[0]
    assert policy.count("'sha256-") == 2
    assert len(found.text["script"]) == 3  # the chart's data is the third, and no script


def test_scripts_of_others_and_secrets_are_gone_and_words_stay(page: Path) -> None:
    html = page.read_text(encoding="utf-8")
    assert "owned" not in html
    assert "onclick" not in str(Page(html).attributes)
    assert "hunter2" not in html
    assert "<b>kept</b>" in html
    assert "<title>What killed it</title>" in html
    assert "&lt;/script&gt;" in html
    assert "[a picture that is not in the notebook: x]" in html


def test_code_is_folded_without_a_script(page: Path) -> None:
    summary = "<summary><span>show</span><span>hide</span> the code of this step</summary>"
    assert f'<details class="code">{summary}' in page.read_text(encoding="utf-8")


def test_the_picture_stays_where_scripts_are_off(page: Path) -> None:
    html = page.read_text(encoding="utf-8")
    assert re.search(
        r'<figure class="chart"><img src="data:image/png;base64,[^"]+" alt="Chart: Killed by', html
    )


def test_it_is_the_same_every_time(notebook) -> None:
    pages = [
        OfflineHTMLExporter().from_notebook_node(notebook, {"metadata": {"name": "x"}})[0] for _ in range(2)
    ]
    assert pages[0] == pages[1]


def test_without_a_chart_there_is_no_script_at_all(tmp_path: Path) -> None:
    path = tmp_path / "x.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("text", id="a")]), path)
    html = export_notebook(path).read_text(encoding="utf-8")
    assert "<script" not in html
    assert any("script-src 'none'" in value for _, _, value in Page(html).attributes)
    assert len(html) < 10_000


def test_a_destination_may_be_a_file_or_a_folder(notebook, tmp_path: Path) -> None:
    path = tmp_path / "case.ipynb"
    nbformat.write(notebook, path)
    assert export_notebook(path, tmp_path / "new" / "page.html") == tmp_path / "new" / "page.html"
    assert export_notebook(path, tmp_path / "new") == tmp_path / "new" / "case.html"


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '"text"', "{}", '{"cells": 3, "nbformat": 4}', "\x00\xff"]
)
def test_what_is_no_notebook_is_a_clear_error(content: str, tmp_path: Path) -> None:
    path = tmp_path / "x.ipynb"
    path.write_bytes(content.encode("latin-1"))
    with pytest.raises(DamagedError, match=r"'x\.ipynb' is not a Jupyter notebook: .* Hint: pass an \.ipynb"):
        export_notebook(path)


def test_a_notebook_that_is_not_there_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        export_notebook(tmp_path / "none.ipynb")


def test_bytes_that_are_no_text_do_not_stop_the_export(tmp_path: Path) -> None:
    path = tmp_path / "x.ipynb"
    path.write_text(
        '{"cells": [{"cell_type": "markdown", "id": "a", "metadata": {}, "source": "bad \\udcff"}],'
        ' "metadata": {}, "nbformat": 4, "nbformat_minor": 5}'
    )
    assert "bad \\udcff" in export_notebook(path).read_text(encoding="utf-8")


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine")
def test_a_browser_without_a_network_draws_the_chart(page: Path, tmp_path: Path) -> None:
    flags = (
        "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
        "--disable-component-update --disable-sync --virtual-time-budget=20000 --dump-dom"
    ).split()
    offline = ["--host-resolver-rules=MAP * ~NOTFOUND", f"--user-data-dir={tmp_path}"]
    command = [str(CHROMIUM), *flags, *offline, page.as_uri()]
    seen = subprocess.run(command, capture_output=True, text=True, timeout=180, check=True)
    assert '<figure class="chart drawn">' in seen.stdout
    drawing = seen.stdout[seen.stdout.index('class="drawing') :]
    assert "<svg" in drawing
    assert "limit 2.00 GiB" in drawing
    assert "<title>What killed it</title>" in seen.stdout
