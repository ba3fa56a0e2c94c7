"""Names that fit, whatever they hold."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diagtools.present.names import file_name, fitted, printable, shortened, text_px, wrapped

PATH = "widgetsnbextension/static/extension.js"
ANY_NAME = st.text(st.characters(codec=None), max_size=80)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("src/a b.py", "src/a b.py"),
        ("größe/文件.py", "größe/文件.py"),
        ("a\nb\tc", "a\\nb\\tc"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("bad\udcff", "bad\\udcff"),
        ("turned\u202eback", "turned\\u202eback"),
        ("line\u2028end", "line\\u2028end"),
    ],
)
def test_what_cannot_be_shown_is_escaped(name: str, shown: str) -> None:
    assert printable(name) == shown


@given(ANY_NAME)
def test_a_printable_name_is_one_line_that_can_be_written(name: str) -> None:
    shown = printable(name)
    assert len(shown.splitlines()) <= 1
    assert shown.encode("utf-8").decode("utf-8") == shown


@pytest.mark.parametrize(
    ("n", "shown"),
    [
        (38, PATH),
        (37, "…/static/extension.js"),
        (20, "…/extension.js"),
        (12, "extension.js"),
        (5, "ex…js"),
        (1, "…"),
    ],
)
def test_folders_go_first_and_the_file_name_last(n: int, shown: str) -> None:
    assert shortened(PATH, n) == shown


def test_a_deep_path_keeps_its_ends() -> None:
    assert shortened("src/one/two/three/four.py", 20) == "src/…/three/four.py"


def test_a_sentence_loses_its_end() -> None:
    assert shortened("load the model", 9) == "load the…"


@given(ANY_NAME, st.integers(1, 60))
def test_a_shortened_name_is_never_too_long(name: str, n: int) -> None:
    assert len(shortened(name, n)) <= n


@given(ANY_NAME, st.floats(30, 400), st.booleans())
def test_a_fitted_name_is_never_too_wide(name: str, width: float, bold: bool) -> None:
    assert text_px(fitted(name, width, 12, bold=bold), 12, bold=bold) <= width


@pytest.mark.parametrize(
    ("text", "bold", "measured"),
    [
        ("killed by the watchdog at 2.00 GiB", False, 182),
        ("killed by the watchdog at 2.00 GiB", True, 195),
        (PATH, False, 204),
        (PATH, True, 223),
        ("Peak 661 MiB, 32 % of the limit", False, 167),
    ],
)
def test_widths_agree_with_the_font(text: str, bold: bool, measured: int) -> None:
    assert text_px(text, 12, bold=bold) == pytest.approx(measured, rel=0.06)


def test_the_file_name_has_its_folder_where_many_have_that_name() -> None:
    assert file_name("a/b/extension.js") == "extension.js"
    assert file_name("pkg/core/__init__.py") == "core/__init__.py"
    assert file_name("__init__.py") == "__init__.py"
    assert file_name("a/b/") == "b"


@given(st.text(st.characters(codec="utf-8"), max_size=300), st.floats(60, 600))
def test_wrapped_lines_fit(sentence: str, width: float) -> None:
    assert all(text_px(line, 12) <= width for line in wrapped(sentence, width, 12))


def test_wrapping_keeps_the_words() -> None:
    sentence = "killed by the watchdog at 2.00 GiB in extension.js"
    assert " ".join(wrapped(sentence, 120, 12)) == sentence


def test_a_secret_is_masked_before_a_name_is_cut() -> None:
    """Half of it would not be known for one."""
    name = "tests/test_db.py::test_connects[postgres://admin:hunter2secret@db.example/x]"
    for n in range(8, len(name)):
        assert "hunter2" not in shortened(name, n)
        assert "hunter2" not in fitted(name, n * 6.0, 11)
