"""HTML from other people, which may not act."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diagtools.present.sanitise import sanitised

PARTS = st.sampled_from(
    [
        *"<>/\"'= \n&;:",
        "<script>",
        "</script>",
        "<img src=",
        "onerror=alert(1)",
        "javascript:alert(1)",
        "<svg><style><!--",
        "-->",
        "<math><mtext><table><mglyph><style>",
        "<b",
        "</div>",
        "style='background:url(//x)'",
        '<noscript><p title="</noscript><img src=x onerror=alert(1)>">',
        "<![CDATA[",
        "<?php",
        "&lt;script&gt;",
        "text",
    ]
)


class Seen(HTMLParser):
    """Every tag and attribute of a page, and whether the tags are balanced."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.open: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in {"br", "hr", "img", "col"}:
            self.open.append(tag)

    def handle_endtag(self, tag) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize(
    ("markup", "clean"),
    [
        ("<b>bold</b> &amp; <i>it</i>", "<b>bold</b> &amp; <i>it</i>"),
        ("a<script>alert(1)</script>b", "ab"),
        ("a<style>*{}</style>b", "ab"),
        ("a<svg onload=alert(1)><p>x</p></svg>b", "ab"),
        ("<b onclick=alert(1) class=x id=y>b</b>", "<b>b</b>"),
        ("</div></main>text", "text"),
        ("<div><b>open", "<div><b>open</b></div>"),
        ("<b><i>x</b>y</i>", "<b><i>x</i></b>y"),
        ("<!-- no -->x<!DOCTYPE html>", "x"),
        ("<form><input name=q><button>go</button></form>x", "gox"),
        ("<input type=checkbox checked disabled> done", "☑  done"),
        ('<a href="javascript:alert(1)">x</a>', '<a rel="noopener noreferrer">x</a>'),
        ('<a href="https://e.org/">x</a>', '<a href="https://e.org/" rel="noopener noreferrer">x</a>'),
        ("<iframe src=//e.org></iframe>x", "x"),
        ("<iframe src=//e.org>", ""),
        ("<p> </p>", ""),
        ("3 < 4", "3 &lt; 4"),
    ],
)
def test_what_stays(markup: str, clean: str) -> None:
    assert sanitised(markup) == clean


def test_pictures_are_shown_from_data_only() -> None:
    kept = '<img src="data:image/png;base64,AAAA" alt="a">'
    assert sanitised(kept) == kept
    for source in (
        "https://e.org/x.png",
        "//e.org/x",
        "x.png",
        "data:text/html;base64,AAAA",
        "data:image/png,<b>",
    ):
        clean = sanitised(f'<img src="{source}" alt="the chart">')
        assert clean == "<em>[a picture that is not in the notebook: the chart]</em>"


@pytest.mark.parametrize(
    ("style", "kept"),
    [
        ("color:red;text-align:right", "color:red;text-align:right"),
        ("border:1px solid rgba(128,128,128,0.35)", "border:1px solid rgba(128,128,128,0.35)"),
        ("background-color:url(https://e.org/x)", ""),
        ("position:fixed;top:0;color:blue", "color:blue"),
        ("width:expression(alert(1))", ""),
        ("color:red}*{", ""),
        ("--x:1;color:var(--x)", ""),
        ("color:\\75 rl(x)", ""),
    ],
)
def test_styles_cannot_load_or_cover(style: str, kept: str) -> None:
    attribute = f' style="{kept}"' if kept else ""
    assert sanitised(f'<p style="{style}">x</p>') == f"<p{attribute}>x</p>"


def test_secrets_in_text_and_titles_are_redacted() -> None:
    clean = sanitised('<p title="password=hunter2">token=abc123def</p><img src=x alt="token=abc123def">')
    assert "hunter2" not in clean
    assert "abc123def" not in clean


@given(st.lists(PARTS, max_size=12).map("".join))
def test_whatever_comes_in_nothing_that_acts_goes_out(markup: str) -> None:
    seen = Seen(sanitised(markup))
    assert not {"script", "style", "svg", "math", "iframe", "object", "form", "input", "noscript"} & set(
        seen.tags
    )
    assert not [name for name, _ in seen.attributes if name.startswith("on")]
    assert not [
        value for name, value in seen.attributes if name in {"href", "src"} and "javascript:" in value
    ]
    assert seen.open == []


@given(st.lists(PARTS, max_size=12).map("".join))
def test_cleaning_twice_changes_nothing(markup: str) -> None:
    once = sanitised(markup)
    assert sanitised(once) == once


def test_very_deep_markup_is_cut_short() -> None:
    assert sanitised("<div>" * 5000 + "x").count("<div>") == 200
