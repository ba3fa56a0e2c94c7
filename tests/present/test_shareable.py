"""An executed notebook names no package folder, no working folder, no home and no secret."""

from __future__ import annotations

import json
from pathlib import Path

import nbformat

from diagtools.present.shareable import shareable

WORK = Path("/srv/acme/plan")
TRACEBACK = [
    "File \x1b[32m/opt/venv/lib/python3.11/site-packages/polars/frame.py:12\x1b[39m, in f",
    "File \x1b[32m/srv/acme/plan/app.py:3\x1b[39m, in g",
    "\x1b[32m      1\x1b[39m token\x1b[38;5;1m=\x1b[39m\x1b[33m'hunter2Sesame'\x1b[39m",
    "\x1b[31mValueError\x1b[39m: plain",
]
PICTURE = "iVBORw0KGgo/srv/acme/plan/AAAA"


def notebook() -> nbformat.NotebookNode:
    error = nbformat.v4.new_output(
        "error", ename="ValueError", evalue="in /srv/acme/plan", traceback=TRACEBACK
    )
    data = {
        "text/plain": "/home/ada/x",
        "image/png": PICTURE,
        "image/svg+xml": "<svg>password=hunter2Sesame</svg>",
        "application/vnd.vegalite.v5+json": {"title": ["/srv/acme/plan/data.csv", 3, None]},
    }
    shown = nbformat.v4.new_output(
        "display_data", data=data, metadata={"case": {"run": "/srv/acme/plan/runs/a"}}
    )
    stream = nbformat.v4.new_output("stream", name="stdout", text="/srv/acme/planning and /srv/acme/plan.\n")
    code = nbformat.v4.new_code_cell("open('/srv/acme/plan/x')", outputs=[error, shown, stream], id="a")
    code.metadata["papermill"] = {"exception": "/home/ada/y"}
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("/home/ada", id="b"), code])
    made.metadata["papermill"] = {
        "input_path": "/opt/else/notebooks/02-x.ipynb",
        "output_path": None,
        "parameters": {"corpus": "/home/ada/code"},
    }
    return made


def test_outputs_and_metadata_are_redacted() -> None:
    shown = shareable(notebook(), working_folder=WORK)
    nbformat.validate(shown)
    error, display, stream = shown.cells[1].outputs
    assert error.evalue == "in ."
    assert error.traceback[:2] == ["File polars/frame.py:12, in f", "File app.py:3, in g"]
    assert error.traceback[2] == "      1 token=[redacted]"
    assert display.data["text/plain"] == "~/x"
    assert display.data["application/vnd.vegalite.v5+json"] == {"title": ["data.csv", 3, None]}
    assert display.metadata["case"]["run"] == "runs/a"
    assert stream.text == "/srv/acme/planning and ..\n"
    assert shown.cells[1].metadata["papermill"]["exception"] == "~/y"
    assert shown.metadata["papermill"] == {
        "input_path": "02-x.ipynb",
        "output_path": None,
        "parameters": {"corpus": "~/code"},
    }
    assert "hunter2" not in json.dumps(shown)


def test_colours_pictures_and_source_stay() -> None:
    shown = shareable(notebook(), working_folder=WORK)
    assert shown.cells[1].outputs[0].traceback[3] == TRACEBACK[3]
    assert shown.cells[1].outputs[1].data["image/png"] == PICTURE
    assert [cell.source for cell in shown.cells] == [cell.source for cell in notebook().cells]


def test_a_working_folder_that_is_part_of_many_paths_is_no_reason_to_shorten_them() -> None:
    shown = shareable(notebook(), working_folder=Path("/srv"))
    assert shown.cells[1].outputs[0].evalue == "in /srv/acme/plan"
