"""Finding, parameterising and executing notebooks."""

from __future__ import annotations

import json
from pathlib import Path

import nbformat
import pytest

from diagtools.errors import BudgetBreached, DiagtoolsError, NoDataError, RecorderError, UsageError
from diagtools.investigations import notebook, places


@pytest.fixture
def own_notebooks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of notebooks in the place of ours, with one that shows a case and can fail."""
    folder = tmp_path / "notebooks"
    folder.mkdir()
    parameters = nbformat.v4.new_code_cell('size = 1\nfails = ""', metadata={"tags": ["parameters"]})
    early = (
        "from diagtools.errors import UsageError\nif size == 0:\n    raise UsageError('No size.', hint='1.')"
    )
    progress = "from diagtools.investigations.progress import Progress\nProgress().say(f'size is {size}')"
    error = (
        "from diagtools.errors import BudgetBreached, NoDataError\n"
        "if fails == 'data':\n    raise NoDataError('No items.', hint='look.')\n"
        "if fails == 'budget':\n    raise BudgetBreached('Too much.', hint='look.')\n"
        "if fails == 'kernel':\n    import os, signal; os.kill(os.getpid(), signal.SIGKILL)\n"
        "if fails == 'bug':\n    import polars; print(polars.__file__); polars.DataFrame({'a': [1], 'b': [1, 2]})"
    )
    shown = (
        "from IPython.display import display\n"
        "display({'text/plain': 'case'}, raw=True, metadata={'diagtools_case': {'summary': f'size {size}'}})"
    )
    cells = [parameters, *(nbformat.v4.new_code_cell(source) for source in (early, progress, shown, error))]
    made = nbformat.v4.new_notebook(cells=cells)
    made.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    made.metadata.diagtools = {"full": {"size": 10}}
    nbformat.write(made, folder / "07-sizes.ipynb")
    monkeypatch.setattr(places, "notebooks", lambda: folder)
    return folder


def test_ours_are_found_by_name() -> None:
    """The number in front is not part of the name."""
    assert notebook.find("indexing-oom").name == "02-indexing-oom.ipynb"
    with pytest.raises(UsageError, match="no investigation 'nope'"):
        notebook.find("nope")


def test_parameters_are_json_where_they_parse() -> None:
    """Numbers and booleans are such, everything else is text."""
    assert notebook.parse_parameters(["a=1", "b=true", "c=2 GiB", "d=x=y", "e="]) == {
        "a": 1,
        "b": True,
        "c": "2 GiB",
        "d": "x=y",
        "e": "",
    }
    with pytest.raises(UsageError, match="is not a parameter"):
        notebook.parse_parameters(["limit"])


def test_a_full_run_takes_the_notebooks_own_full_parameters(own_notebooks: Path, tmp_path: Path) -> None:
    """Defaults are quick; ``diagtools.full`` is what a full run takes; what is given wins."""
    heard: list[str] = []
    done = notebook.execute("sizes", {}, tmp_path / "out", tell=heard.append)
    assert (heard, done.case, done.error) == (["size is 10"], {"summary": "size 10"}, None)
    assert done.notebook.exists()
    assert "<html" in done.page.read_text(encoding="utf-8")
    heard.clear()
    notebook.execute("sizes", {"size": 3}, tmp_path / "out2", tell=heard.append)
    assert heard == ["size is 3"]


def test_an_unknown_parameter_is_refused_before_anything_runs(own_notebooks: Path, tmp_path: Path) -> None:
    """The hint lists those there are."""
    with pytest.raises(UsageError, match=r"has no parameter 'sise'.*size"):
        notebook.execute("sizes", {"sise": 3}, tmp_path / "out", tell=print)
    assert not (tmp_path / "out").exists()


def test_a_parameter_is_of_the_kind_of_its_default(own_notebooks: Path, tmp_path: Path) -> None:
    """A number is text where the notebook has text, and nothing but a number will do where it has one."""
    done = notebook.execute("sizes", {"fails": 2}, tmp_path / "out", tell=lambda _line: None)
    given = next(c for c in nbformat.read(done.notebook, 4).cells if "injected-parameters" in str(c.metadata))
    assert 'fails = "2"' in given.source
    for wrong in ("many", True, None):
        with pytest.raises(
            UsageError, match=rf"size={wrong!r} is not a number\. Hint: for instance -p size=1"
        ):
            notebook.execute("sizes", {"size": wrong}, tmp_path / "out2", tell=lambda _line: None)
    assert not (tmp_path / "out2").exists()


@pytest.mark.parametrize("longest", [notebook._LONGEST_SOCKET_FOLDER, 0], ids=["sockets", "ports"])
def test_the_kernel_says_nothing_of_its_own(
    own_notebooks: Path,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    longest: int,
) -> None:
    """Not at its start, nor where it is still busy when it is shut down; what a cell says stays."""
    slow = (
        "import sys, time\nprint('mine', file=sys.stderr)\n"
        "handlers = get_ipython().kernel.shell_handlers\nanswer = handlers['kernel_info_request']\n"
        "async def slowly(*words):\n    await answer(*words)\n    time.sleep(2)\n"
        "handlers['kernel_info_request'] = slowly"
    )
    source = own_notebooks / "07-sizes.ipynb"
    made = nbformat.read(source, as_version=4)
    made.cells.append(nbformat.v4.new_code_cell(slow))
    nbformat.write(made, source)
    monkeypatch.setattr(notebook, "_LONGEST_SOCKET_FOLDER", longest)
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / ("a-long-name" * 9)))
    done = notebook.execute("sizes", {}, tmp_path / "out", tell=lambda _line: None)
    assert capfd.readouterr() == ("", "")
    assert done.error is None
    assert "mine" in done.page.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("fails", "kind"), [("budget", BudgetBreached), ("data", NoDataError), ("bug", DiagtoolsError)]
)
def test_a_failing_cell_keeps_what_was_executed(
    own_notebooks: Path, tmp_path: Path, fails: str, kind: type[DiagtoolsError]
) -> None:
    """The notebook and its page are there, with the case that was shown before; the error is ours or named."""
    done = notebook.execute("sizes", {"fails": fails}, tmp_path / "out", tell=lambda _line: None)
    assert type(done.error) is kind
    assert done.case == {"summary": "size 10"}
    assert done.page.exists()
    assert any(
        o.output_type == "error" for c in nbformat.read(done.notebook, 4).cells for o in c.get("outputs", [])
    )


def test_a_kernel_that_is_killed_is_one_clear_error(own_notebooks: Path, tmp_path: Path) -> None:
    done = notebook.execute("sizes", {"fails": "kernel"}, tmp_path / "out", tell=lambda _line: None)
    assert type(done.error) is RecorderError
    assert "ended from outside" in str(done.error)
    assert done.case == {"summary": "size 10"}
    assert done.page.exists()


def test_what_is_left_names_no_folder_of_packages_nor_the_working_folder(
    own_notebooks: Path, tmp_path: Path
) -> None:
    """The traceback goes through polars, and papermill notes where the notebook came from."""
    done = notebook.execute("sizes", {"fails": "bug"}, tmp_path / "out", tell=lambda _line: None)
    made, page = done.notebook.read_text(encoding="utf-8"), done.page.read_text(encoding="utf-8")
    for text in (made, page):
        assert "polars/" in text
        assert "site-packages" not in text
        assert str(Path.cwd()) not in text
        assert str(own_notebooks) not in text


def test_a_mistake_that_is_found_before_anything_was_shown_leaves_nothing(
    own_notebooks: Path, tmp_path: Path
) -> None:
    """A refused parameter is the user's to mend: there is nothing to look at."""
    with pytest.raises(UsageError, match=r"No size\. Hint: 1\."):
        notebook.execute("sizes", {"size": 0}, tmp_path / "out", tell=lambda _line: None)
    assert not (tmp_path / "out").exists()
    (tmp_path / "out").mkdir()
    with pytest.raises(UsageError, match="No size"):
        notebook.execute("sizes", {"size": 0}, tmp_path / "out", tell=lambda _line: None)
    assert list((tmp_path / "out").iterdir()) == []


def test_our_notebooks_name_parameters_they_have() -> None:
    """Each full parameter of each notebook stands in its parameters cell."""
    import papermill

    for path in notebook.names().values():
        full = json.loads(path.read_text(encoding="utf-8"))["metadata"]["diagtools"]["full"]
        assert set(full) <= set(papermill.inspect_notebook(str(path)))
