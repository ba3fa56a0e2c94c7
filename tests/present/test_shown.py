"""Which form of an output is shown to somebody else."""

from __future__ import annotations

import base64

import nbformat
import pytest

from diagtools.present import renderer, shown
from diagtools.present.charts.timeline import timeline_chart

PNG = base64.b64encode(b"\x89PNG made up").decode()


def outputs_of(*outputs: dict) -> list[shown.Output]:
    cell = nbformat.v4.new_code_cell("x", outputs=[nbformat.from_dict(output) for output in outputs])
    (found,) = shown.cells(nbformat.v4.new_notebook(cells=[cell]))
    return list(found.outputs)


def display(**data: object) -> dict:
    kinds = {"html": "text/html", "plain": "text/plain", "js": "application/javascript", "png": "image/png"}
    named = {kinds.get(name, name): content for name, content in data.items()}
    return nbformat.v4.new_output("display_data", data=named)


def stream(text: str) -> dict:
    return nbformat.v4.new_output("stream", name="stdout", text=text)


def test_the_richest_form_wins() -> None:
    (html,) = outputs_of(display(html="<b>rich</b>", plain="plain", png=PNG))
    assert (html.html, html.picture) == ("<b>rich</b>", None)
    (picture,) = outputs_of(display(png=PNG, plain="plain"))
    assert (picture.picture, picture.text) == (f"data:image/png;base64,{PNG}", "plain")
    (plain,) = outputs_of(display(plain="plain"))
    assert plain.text == "plain"


def test_html_that_only_acts_gives_way_to_the_next_form() -> None:
    (output,) = outputs_of(display(html="<script>draw()</script><div></div>", png=PNG))
    assert output.picture


def test_scripts_and_widgets_are_left_out() -> None:
    assert outputs_of(display(js="alert(1)", plain="<Javascript object>")) == []
    assert outputs_of(display(**{"application/vnd.jupyter.widget-view+json": {}}, plain="HBox()")) == []


def test_a_picture_that_is_no_picture_is_not_written() -> None:
    (output,) = outputs_of(display(png='"><script>alert(1)</script>', plain="words"))
    assert (output.picture, output.text) == (None, "words")


def test_an_svg_can_only_be_a_picture() -> None:
    svg = "<svg><script>alert(1)</script></svg>"
    (output,) = outputs_of(display(**{"image/svg+xml": svg}))
    assert output.picture == "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()


def test_progress_shows_its_last_state_and_colours_go() -> None:
    (output,) = outputs_of(stream("\r10 %\r50 %\r100 %\n\x1b[31mred\x1b[0m\r\n"))
    assert output.text == "100 %\nred"


def test_errors_are_marked() -> None:
    (output,) = outputs_of(
        nbformat.v4.new_output("error", ename="E", evalue="v", traceback=["\x1b[31mE\x1b[0m: v"])
    )
    assert (output.text, output.is_error) == ("E: v", True)


def test_secrets_are_redacted_in_every_form() -> None:
    secret = "token=abc123def"
    forms = [
        stream(secret),
        display(html=f"<p>{secret}</p>"),
        display(plain=secret),
        display(**{"text/markdown": secret}),
    ]
    cell = nbformat.v4.new_code_cell(f"connect('{secret}')", outputs=forms)
    prose = nbformat.v4.new_markdown_cell(f"# {secret}")
    notebook = nbformat.v4.new_notebook(cells=[prose, cell])
    assert "abc123def" not in str(list(shown.cells(notebook))) + shown.title(notebook, "x")


def test_a_secret_in_a_chart_is_redacted_and_its_picture_drawn_again(tree_of) -> None:
    chart = timeline_chart(tree_of(1, 2)).to_dict()
    chart["title"] = (
        "token=abc123def was used"  # as another program writes it: ours are masked before they are drawn
    )
    bundle = {renderer.VEGALITE: chart, "image/png": PNG}
    (output,) = outputs_of(display(**bundle))
    assert "abc123def" not in output.chart + output.text
    assert output.picture != f"data:image/png;base64,{bundle['image/png']}"
    clean = renderer.bundle(timeline_chart(tree_of(1, 2)).to_dict())
    (kept,) = outputs_of(display(**clean))
    assert kept.picture == f"data:image/png;base64,{clean['image/png']}"


def test_a_chart_cannot_end_its_script_tag(tree_of, hostile) -> None:
    bundle = renderer.bundle(timeline_chart(tree_of(1, 2), title=hostile).to_dict())
    (output,) = outputs_of(display(**bundle))
    assert "<" not in output.chart
    assert "\\u003c" in output.chart


@pytest.mark.parametrize(
    "spec",
    [
        {"mark": "point", "data": {"url": "https://e.org/x.json"}},
        {"layer": [{"mark": "image", "encoding": {"url": {"field": "u"}}}]},
        {"mark": "point", "encoding": {"href": {"value": "https://e.org"}}},
    ],
)
def test_a_chart_that_would_load_or_lead_somewhere_is_shown_as_its_picture(spec: dict) -> None:
    (output,) = outputs_of(display(**{renderer.VEGALITE: spec}, png=PNG))
    assert (output.chart, bool(output.picture)) == (None, True)


def test_options_that_a_chart_brings_along_are_dropped() -> None:
    spec = {
        "mark": "point",
        "data": {"values": [{"url": "only a value"}]},
        "usermeta": {"embedOptions": {"ast": False}},
    }
    (output,) = outputs_of(display(**{renderer.VEGALITE: spec}))
    assert "usermeta" not in output.chart
    assert "only a value" in output.chart


def test_markdown_cannot_act_and_reads_no_files(tmp_path) -> None:
    source = "# T\n<script>alert(1)</script>\n\n[x](javascript:alert(1)) ![p](/etc/hostname) ![a](attachment:none.png)"
    (cell,) = shown.cells(nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(source)]))
    assert "<script" not in cell.prose
    assert "src=" not in cell.prose


def test_attachments_are_shown() -> None:
    cell = nbformat.v4.new_markdown_cell("![p](attachment:p.png)", attachments={"p.png": {"image/png": PNG}})
    (found,) = shown.cells(nbformat.v4.new_notebook(cells=[cell]))
    assert f'src="data:image/png;base64,{PNG}"' in found.prose


def test_code_is_marked_up_and_escaped() -> None:
    cell = nbformat.v4.new_code_cell("x = '</script><b>'\n%time f()")
    (found,) = shown.cells(nbformat.v4.new_notebook(cells=[cell]))
    assert "&lt;/script&gt;&lt;b&gt;" in found.code
    assert '<span class="o">=</span>' in found.code


def test_empty_and_raw_cells_are_left_out() -> None:
    cells = [
        nbformat.v4.new_code_cell(""),
        nbformat.v4.new_markdown_cell(" "),
        nbformat.v4.new_raw_cell("raw"),
    ]
    assert list(shown.cells(nbformat.v4.new_notebook(cells=cells))) == []


def test_the_title_is_the_first_heading_else_the_name() -> None:
    cells = [nbformat.v4.new_markdown_cell("intro"), nbformat.v4.new_markdown_cell("# What *killed* it #\n")]
    assert shown.title(nbformat.v4.new_notebook(cells=cells), "n") == "What *killed* it"
    assert shown.title(nbformat.v4.new_notebook(), "n") == "n"


def test_headlines_are_those_of_the_last_case_and_redacted() -> None:
    """Anything that is not a list of text is passed over; at most twelve are shown."""
    from nbformat.v4 import new_code_cell, new_notebook, new_output

    def case(content: object) -> object:
        output = new_output("display_data", data={"text/plain": "x"}, metadata={shown.CASE_KEY: content})
        return new_code_cell("case", outputs=[output])

    notebook = new_notebook(
        cells=[case({"headlines": ["old"]}), case({"headlines": ["--token=abc1", 3, *"x" * 20]})]
    )
    assert shown.headlines(notebook) == ("--token=[redacted]", *"x" * 10)
    assert shown.headlines(new_notebook(cells=[case("rubbish"), case({"headlines": "text"})])) == ()
