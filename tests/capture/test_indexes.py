"""The settings of one tool, as the other understands them."""

from __future__ import annotations

from diagtools.capture.indexes import for_pip, for_uv, without_index


def test_uv_looks_where_pip_was_told_to() -> None:
    found = for_uv(
        {
            "PIP_INDEX_URL": "https://a/x",
            "PIP_EXTRA_INDEX_URL": "https://b/x https://c/y",
            "PIP_FIND_LINKS": "d e",
        }
    )
    assert found["UV_DEFAULT_INDEX"] == "https://a/x"
    assert found["UV_INDEX"] == "https://b/x https://c/y"
    assert found["UV_INDEX_STRATEGY"] == "unsafe-best-match"
    assert found["UV_FIND_LINKS"] == "d,e"


def test_pip_looks_where_uv_was_told_to() -> None:
    found = for_pip(
        {
            "UV_DEFAULT_INDEX": "inner=https://a/x?x=1",
            "UV_INDEX": "own=https://b/x https://c/y?q=1",
            "UV_FIND_LINKS": "d,e",
        }
    )
    assert found["PIP_INDEX_URL"] == "https://a/x?x=1"
    assert found["PIP_EXTRA_INDEX_URL"] == "https://b/x https://c/y?q=1"
    assert found["PIP_FIND_LINKS"] == "d e"
    assert found["PIP_USER"] == "0"


def test_own_settings_come_first() -> None:
    both = {
        "PIP_INDEX_URL": "https://a",
        "UV_INDEX_URL": "https://b",
        "PIP_FIND_LINKS": "c",
        "UV_FIND_LINKS": "d",
    }
    assert {**for_uv(both), **both} == for_uv(both)
    assert for_pip(both)["PIP_INDEX_URL"] == "https://a"
    assert for_pip(both)["PIP_FIND_LINKS"] == "c"


def test_nothing_set_names_no_index() -> None:
    assert for_uv({}) == {}
    assert not any("INDEX" in name or "LINKS" in name for name in for_pip({}))


def test_no_index_is_no_index_for_both() -> None:
    assert without_index({"PIP_NO_INDEX": "1"})
    assert not without_index({"PIP_NO_INDEX": "0", "UV_NO_INDEX": ""})
    assert for_pip({"UV_NO_INDEX": "true"})["PIP_NO_INDEX"] == "1"
