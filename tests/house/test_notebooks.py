"""The notebook lint says what is wrong with a notebook, and nothing about a good one."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lint_notebooks
import pytest

Notebook = dict[str, Any]
Save = Callable[..., Path]


def code(source: str, cell_id: str, **more: Any) -> Notebook:
    return {
        "cell_type": "code",
        "id": cell_id,
        "metadata": {},
        "source": source,
        "execution_count": None,
        "outputs": [],
        **more,
    }


def good() -> Notebook:
    """A template that keeps every rule."""
    parameters = (
        'limit = "2 GiB"  # where it is killed\nn_runs: int = 3\nshift = -1\nquick = True\nlabel = None'
    )
    return {
        "cells": [
            {"cell_type": "markdown", "id": "title", "metadata": {}, "source": ["# What killed", " it?"]},
            code(parameters, "parameters", metadata={"tags": ["parameters"]}),
            code("%matplotlib inline\nfrom diagtools import record", "imports"),
            code("run = record(limit=limit)\n[row for row in run.items if row]", "record"),
        ],
        "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }


@pytest.fixture
def save(tmp_path: Path) -> Save:
    """Writes a notebook into a folder of notebooks."""

    def write(notebook: Notebook, name: str = "02-indexing-oom.ipynb") -> Path:
        path = tmp_path / "notebooks" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(notebook), encoding="utf-8")
        return path

    return write


def with_code(source: str) -> Notebook:
    notebook = good()
    notebook["cells"][-1]["source"] = source
    return notebook


def with_cell(**changes: Any) -> Notebook:
    notebook = good()
    notebook["cells"][-1].update(changes)
    return notebook


def with_parameters(source: str) -> Notebook:
    notebook = good()
    notebook["cells"][1]["source"] = source
    return notebook


def with_kernel(kernelspec: dict[str, str]) -> Notebook:
    return good() | {"metadata": {"kernelspec": kernelspec}}


def with_extra_cells(cells: list[Notebook]) -> Notebook:
    notebook = good()
    notebook["cells"] += cells
    return notebook


def without_ids() -> Notebook:
    notebook = good()
    for cell in notebook["cells"]:
        del cell["id"]
    return notebook


def output(**more: Any) -> list[dict[str, Any]]:
    return [{"output_type": "stream", "name": "stdout", "text": ["done"], **more}]


ERROR = [{"output_type": "error", "ename": "ValueError", "evalue": "no", "traceback": []}]
PARAMETERS = {"tags": ["parameters"]}


def test_a_good_template_passes(save: Save) -> None:
    assert lint_notebooks.breaches(save(good())) == []


def test_a_good_record_passes(save: Save) -> None:
    """It has outputs, and the cell that papermill put in."""
    injected = code("n_runs = 1", "injected", metadata={"tags": ["injected-parameters"]})
    notebook = with_extra_cells([injected, code("run", "shown", outputs=output(), execution_count=7)])
    assert lint_notebooks.breaches(save(notebook, "postmortems/2025-11-04-indexing-oom.ipynb")) == []


@pytest.mark.parametrize(
    ("notebook", "said"),
    [
        (with_kernel({"name": "my-env"}), "the kernel is 'my-env'"),
        (with_kernel({}), "the kernel is None"),
        (without_ids(), "4 cells have no id"),
        (with_cell(id="imports"), "the id 'imports' is on 2 cells"),
        (with_cell(metadata=PARAMETERS, source="n = 1"), "2 cells are tagged 'parameters', not 1"),
        (with_parameters("limit = 2 * 1024"), "cell 2: a parameter is not a JSON scalar"),
        (with_parameters("sizes = [1, 2]"), "cell 2: a parameter is not a JSON scalar"),
        (with_parameters("import os"), "cell 2: a parameter is not a JSON scalar"),
        (with_parameters("a = b = 1"), "cell 2: a parameter is not a JSON scalar"),
        (with_parameters("data = b'x'"), "cell 2: a parameter is not a JSON scalar"),
        (with_code("x = 1\ndef f(): ..."), "cell 4: FunctionDef in line 2"),
        (with_code("if run:\n    for x in run: x"), "cell 4: For in line 2"),
        (with_code("while True: pass"), "cell 4: While in line 1"),
        (with_code("class A: ..."), "cell 4: ClassDef in line 1"),
        (with_code("x ="), "cell 4: does not parse as Python"),
        (with_code("%%bash\nls notebooks"), "cell 4: does not parse as Python"),
        (with_code("open('/home/ada/run-7')"), "cell 4: a path of one machine, '/home/ada'"),
        (with_cell(cell_type="markdown", source="In `/tmp/x`"), "cell 4: a path of one machine, '/tmp/x'"),
        (with_cell(outputs=output()), "cell 4: a template with outputs"),
        (with_cell(execution_count=3), "cell 4: a template with outputs"),
        (with_extra_cells([code("1", f"c{n}") for n in range(14)]), "17 code cells, 16 at most"),
    ],
)
def test_a_bad_template_is_told_why(save: Save, notebook: Notebook, said: str) -> None:
    (breach,) = lint_notebooks.breaches(save(notebook))
    assert said in breach


@pytest.mark.parametrize(
    ("notebook", "said"),
    [
        (with_cell(outputs=ERROR), "cell 4: an error among its outputs, ValueError"),
        (
            with_cell(outputs=output(text="wrote /root/postmortems/x")),
            "cell 4, in its output: a path of one machine, '/root/postmortems'",
        ),
        (
            with_cell(outputs=[{"output_type": "display_data", "data": {"text/plain": ["at /tmp/x"]}}]),
            "cell 4, in its output: a path of one machine, '/tmp/x'",
        ),
        (with_cell(outputs=output(text="x" * 1_000_000)), "bytes, 1,000,000 at most"),
    ],
)
def test_a_bad_record_is_told_why(save: Save, notebook: Notebook, said: str) -> None:
    (breach,) = lint_notebooks.breaches(save(notebook, "postmortems/02-indexing-oom.ipynb"))
    assert said in breach


@pytest.mark.parametrize(
    "name", ["indexing.ipynb", "2-indexing.ipynb", "02-Indexing.ipynb", "02_indexing.ipynb"]
)
def test_a_name_without_its_number_is_told(save: Save, name: str) -> None:
    (breach,) = lint_notebooks.breaches(save(good(), name))
    assert breach.startswith(f"{save(good(), name)}: the name is not numbered")


def test_a_file_that_is_no_notebook_is_told(save: Save) -> None:
    path = save(good())
    path.write_text("{", encoding="utf-8")
    (breach,) = lint_notebooks.breaches(path)
    assert "not a notebook" in breach


def test_a_picture_is_not_read_as_a_path(save: Save) -> None:
    picture = [{"output_type": "display_data", "data": {"image/png": "iVBORw0 /tmp/x"}}]
    path = save(with_cell(outputs=picture), "postmortems/02-indexing-oom.ipynb")
    assert lint_notebooks.breaches(path) == []


def test_the_exit_status_tells_clean_from_broken_from_nothing_there(
    save: Save, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = str(tmp_path / "notebooks")
    assert lint_notebooks.main([folder]) == 2
    assert "No notebook under" in capsys.readouterr().err
    save(good())
    assert lint_notebooks.main([folder]) == 0
    assert capsys.readouterr().out == "1 notebooks, 0 breaches\n"
    save(with_code("x ="), "03-bad.ipynb")
    assert lint_notebooks.main([folder]) == 1
    assert "03-bad.ipynb: cell 4: does not parse as Python." in capsys.readouterr().out
