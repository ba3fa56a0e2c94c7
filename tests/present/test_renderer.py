"""The bundle that survives sharing."""

from __future__ import annotations

import base64
import re

import altair as alt
import nbformat
import pytest
import vl_convert

from diagtools.present import renderer
from diagtools.present.charts.contributors import demand_chart
from diagtools.present.charts.timeline import timeline_chart


@pytest.fixture
def altair_as_it_was():
    with alt.renderers.enable(alt.renderers.active):
        yield


def test_a_chart_is_a_specification_a_picture_and_a_sentence(killed, altair_as_it_was) -> None:
    renderer.enable()
    renderer.enable()
    bundle = timeline_chart(killed.tree, **killed.arguments)._repr_mimebundle_()
    assert set(bundle) == {"application/vnd.vegalite.v5+json", "image/png", "text/plain"}
    assert base64.b64decode(bundle["image/png"]).startswith(b"\x89PNG")
    assert bundle["text/plain"].startswith("Chart: Killed by the watchdog at 2.01 GiB in extension.js")


def test_the_specification_is_of_version_5_and_compiles_as_that(killed) -> None:
    spec = renderer.bundle(timeline_chart(killed.tree, **killed.arguments).to_dict())[renderer.VEGALITE]
    assert spec["$schema"] == "https://vega.github.io/schema/vega-lite/v5.json"
    for version in ("5.8", "5.21"):
        assert "marks" in vl_convert.vegalite_to_vega(spec, vl_version=version)


def test_the_bundle_is_valid_in_a_notebook(killed) -> None:
    data = renderer.bundle(timeline_chart(killed.tree, **killed.arguments).to_dict())
    output = nbformat.v4.new_output("display_data", data=data)
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("x", outputs=[output])])
    nbformat.validate(notebook)


def test_it_is_small_and_the_same_every_time(shrunk) -> None:
    spec = timeline_chart(shrunk.tree, **shrunk.arguments).to_dict()
    first, second = renderer.bundle(spec), renderer.bundle(spec)
    assert first == second
    assert len(first["image/png"]) < 200_000 * 4 / 3


def test_a_specification_that_would_load_something_is_not_drawn_from_it() -> None:
    spec = alt.Chart(alt.UrlData("https://example.org/x.json")).mark_point().to_dict()
    with pytest.raises(ValueError, match=r"example\.org|base"):
        renderer.draw_png(spec)


def test_titles_below_each_other_are_all_said(contributors_of) -> None:
    one, other = contributors_of(("a", 9, 1)), contributors_of(("b", 5, 2))
    spec = {"vconcat": [demand_chart(one).to_dict(), demand_chart(other).to_dict()]}
    assert renderer.spoken(spec) == "Chart: a asked for 9.00 MiB. b asked for 5.00 MiB"
    assert renderer.spoken({}) == "Chart"


def test_secrets_and_homes_are_in_neither_form(tree_of) -> None:
    spec = timeline_chart(tree_of(1, 2), title="/home/ada/app read token=abc123def").to_dict()
    bundle = renderer.bundle(spec)
    assert not {"ada", "abc123def"} & set(
        re.findall(r"\w+", str(bundle[renderer.VEGALITE]) + bundle["text/plain"])
    )
    assert bundle["image/png"] == renderer.bundle(renderer.redacted(spec))["image/png"]
