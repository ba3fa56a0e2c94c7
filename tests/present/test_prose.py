"""Sentences with foreign names in them stay sentences."""

from __future__ import annotations

import nbformat

from diagtools.present import shown
from diagtools.present.prose import Prose, Quote


def test_markdown_and_html_in_a_name_are_escaped(hostile) -> None:
    bundle = Prose(
        [f"It died in {hostile} and **not** in [x](javascript:alert(1)).", "token=abc123def"]
    )._repr_mimebundle_()
    assert "<img" not in bundle["text/markdown"].replace("\\<img", "")
    assert "\\*\\*not\\*\\*" in bundle["text/markdown"]
    assert "abc123def" not in str(bundle)


def test_quoted_lines_stand_one_below_the_other_as_they_are(hostile) -> None:
    """Nothing in them ends the block, is markup or a secret, in the notebook's Markdown and in the page."""
    lines = ("12:00  INFO *one*", "```", f"<b>{hostile}</b>", "$$x$$ token=abc123def", "two\rin one\n")
    prose = Prose(["It died."], heading="What", quote=Quote(caption="Its last *lines*:", lines=lines))
    bundle = prose._repr_mimebundle_()
    assert bundle["text/markdown"].splitlines()[2:8] == [
        "- It died.",
        "",
        "Its last \\*lines\\*:",
        "",
        "````",
        "12:00  INFO *one*",
    ]
    assert str(prose).splitlines()[:4] == ["What", "• It died.", "Its last *lines*:", "    12:00  INFO *one*"]
    assert "abc123def" not in bundle["text/markdown"] + str(prose)
    output = nbformat.v4.new_output("display_data", data=bundle)
    (cell,) = shown.cells(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("x", outputs=[output])]))
    page = str(cell.outputs[0].html)
    block = page[page.index("<pre>") : page.index("</pre>")]
    assert block.startswith("<pre><code>12:00  INFO *one*\n```\n&lt;b&gt;")
    assert "two in one" in block
    assert "$$x$$" in block


def test_nothing_to_quote_is_no_empty_block() -> None:
    """A program that printed nothing."""
    prose = Prose(["It died."], quote=Quote(caption="Its last lines:", lines=()))
    assert prose._repr_mimebundle_()["text/markdown"] == "- It died."
