"""Sentences with foreign names in them stay sentences."""

from __future__ import annotations

from diagtools.present.prose import Prose


def test_markdown_and_html_in_a_name_are_escaped(hostile) -> None:
    bundle = Prose(
        [f"It died in {hostile} and **not** in [x](javascript:alert(1)).", "token=abc123def"]
    )._repr_mimebundle_()
    assert "<img" not in bundle["text/markdown"].replace("\\<img", "")
    assert "\\*\\*not\\*\\*" in bundle["text/markdown"]
    assert "abc123def" not in str(bundle)
