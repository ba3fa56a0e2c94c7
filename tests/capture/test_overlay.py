"""Other versions of packages in a folder, made with uv and with pip from wheels that lie in another folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from diagtools.capture import installer
from diagtools.capture.overlay import overlay
from diagtools.errors import UnavailableError, UsageError
from diagtools.values import Overlay
from tests.support.interpreters import every_python
from tests.support.releases import broken_source, only_here, wheel


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return only_here(tmp_path, monkeypatch)


@pytest.fixture(params=["uv", "pip"])
def tool(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Whichever of the two stands on this machine is the only one."""
    if request.param == "pip":
        monkeypatch.setattr(installer, "uv_program", lambda: None)
    elif installer.uv_program() is None:
        pytest.skip("uv is not installed here")
    return str(request.param)


def environment_with(folder: Path, name: str, version: str, code: str) -> Path:
    """A folder that stands for the site-packages of the target: PYTHONPATH makes it installed."""
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.py").write_text(code)
    info = folder / f"{name}-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    (info / "RECORD").write_text(f"{name}.py,,\n")
    return folder


def run(found: Overlay, code: str, python: str = sys.executable) -> str:
    env = {**os.environ, "PYTHONPATH": str(found.folder)}
    return subprocess.run(
        [python, "-c", code], env=env, capture_output=True, text=True, check=True
    ).stdout.strip()


def test_the_version_that_was_asked_for_is_imported(index: Path, tool: str) -> None:
    for version in ("1.0", "2.0"):
        wheel(index, "madeup", version, f"V = {version!r}\n")
    found = overlay(["madeup==1.0"], python=sys.executable)
    assert (found.brings, found.modules, found.also) == ((("madeup", "1.0"),), ("madeup",), ())
    assert run(found, "import madeup; print(madeup.V)") == "1.0"
    assert run(found, "from importlib.metadata import version as v; print(v('madeup'))") == "1.0"
    assert list(found.folder.glob("__pycache__/madeup.*.pyc")), "the first run would compile it"


def test_the_second_time_it_comes_from_the_cache(index: Path) -> None:
    wheel(index, "madeup", "1.0")
    first = overlay(["madeup==1.0"], python=sys.executable)
    shutil.rmtree(index)
    assert overlay(["madeup==1.0"], python=sys.executable) == first


def test_what_is_needed_comes_along_and_is_said(index: Path, tool: str) -> None:
    wheel(index, "madeup", "1.0", requires=["needed>=2", "polars"])
    wheel(index, "needed", "2.5")
    found = overlay(["madeup==1.0"], python=sys.executable)
    assert found.brings == (("madeup", "1.0"), ("needed", "2.5"))
    assert found.also == (("needed", "2.5"),)
    assert str(found) == "madeup 1.0, which brings needed 2.5"


@pytest.mark.parametrize("requires", ["needed", "needed<2"])
def test_only_what_must_differ_does(
    index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, requires: str
) -> None:
    """A dependency that is installed and fits stays, though the index has a newer one; else it changes, and is said."""
    monkeypatch.setattr(installer, "uv_program", lambda: None)  # uv takes no PYTHONPATH for an environment
    site = environment_with(tmp_path / "site", "needed", "2.0", "")
    monkeypatch.setenv("PYTHONPATH", str(site))
    wheel(index, "madeup", "1.0", requires=[requires])
    for version in ("1.0", "3.0"):
        wheel(index, "needed", version)
    found = overlay(["madeup==1.0"], python=sys.executable)
    assert found.also == (() if requires == "needed" else (("needed", "1.0"),))


def test_what_is_installed_already_is_in_the_folder_all_the_same(
    index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that two overlays of one package differ in their version alone, not in where they lie too."""
    monkeypatch.setattr(installer, "uv_program", lambda: None)
    monkeypatch.setenv("PYTHONPATH", str(environment_with(tmp_path / "site", "madeup", "1.0", "")))
    wheel(index, "madeup", "1.0", "HERE = True\n")
    assert overlay(["madeup==1.0"], python=sys.executable).brings == (("madeup", "1.0"),)


def test_several_versions_at_once_and_a_range(index: Path) -> None:
    for version in ("1.0", "1.5", "2.0"):
        wheel(index, "madeup", version)
    wheel(index, "other_one", "3.0")
    found = overlay(["Madeup<2", "other-one==3.0"], python=sys.executable)
    assert found.brings == (("madeup", "1.5"), ("other-one", "3.0"))
    assert (found.n_asked, found.modules) == (2, ("madeup", "other_one"))


@every_python
def test_the_interpreter_of_the_target_decides(index: Path, python: str) -> None:
    wheel(index, "madeup", "1.0", "import sys\nV = sys.version_info[:2]\n")
    found = overlay(["madeup==1.0"], python=python)
    assert run(found, "import madeup, sys; print(madeup.V == sys.version_info[:2])", python) == "True"


@pytest.mark.parametrize("damage", ["cut", "gone", "not json", "no list"])
def test_a_broken_one_is_made_anew(index: Path, damage: str) -> None:
    wheel(index, "madeup", "1.0", "V = 1\n")
    found = overlay(["madeup==1.0"], python=sys.executable)
    target = found.folder / "madeup.py"
    if damage == "cut":
        target.unlink()  # a hard link into uv's cache: that is not ours to change
        target.write_text("V")
    elif damage == "gone":
        target.unlink()
    elif damage == "not json":
        (found.folder.parent / "overlay.json").write_text("[")
    else:
        shutil.rmtree(next(found.folder.glob("*.dist-info")))
    again = overlay(["madeup==1.0"], python=sys.executable)
    assert again == found
    assert run(again, "import madeup; print(madeup.V)") == "1"


def test_two_at_once_do_not_hurt_each_other(index: Path) -> None:
    wheel(index, "madeup", "1.0", "V = 1\n")
    made: list[Overlay] = []
    threads = [
        threading.Thread(target=lambda: made.append(overlay(["madeup==1.0"], python=sys.executable)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 4
    assert len({str(one) for one in made}) == 1
    assert [path.name for path in made[0].folder.parent.parent.iterdir()] == [made[0].folder.parent.name]


# --- what cannot be had --------------------------------------------------------------------------------


def test_an_unknown_release_names_the_nearest(index: Path, tool: str) -> None:
    for version in ("1.0", "1.1", "1.3", "2.0", "3.0"):
        wheel(index, "madeup", version)
    with pytest.raises(
        UsageError, match=r"There is no release madeup==1\.2 .*the nearest are 1\.0, 1\.1, 1\.3, 2\.0"
    ):
        overlay(["madeup==1.2"], python=sys.executable)
    with pytest.raises(UsageError, match=r"No index has a package 'nosuch'"):
        overlay(["nosuch==1.2"], python=sys.executable)


def test_a_release_for_another_python_is_said(index: Path) -> None:
    wheel(index, "madeup", "1.0", python=">=3.99")
    with pytest.raises(UsageError, match=r">=3\.99"):
        overlay(["madeup==1.0"], python=sys.executable)


def test_a_release_that_cannot_be_built_is_said(index: Path, tool: str) -> None:
    broken_source(index, "madeup", "1.0")
    with pytest.raises(
        UnavailableError, match=r"madeup==1\.0 cannot be installed for Python .*cannot be built"
    ):
        overlay(["madeup==1.0"], python=sys.executable)


def test_versions_that_exclude_each_other_are_said(index: Path) -> None:
    wheel(index, "madeup", "1.0", requires=["needed<2"])
    for version in ("1.0", "2.0"):
        wheel(index, "needed", version)
    with pytest.raises(UsageError, match=r"madeup==1\.0 needed==2\.0 cannot be installed"):
        overlay(["madeup==1.0", "needed==2.0"], python=sys.executable)


def test_an_index_that_cannot_be_reached_is_said(
    index: Path, monkeypatch: pytest.MonkeyPatch, tool: str
) -> None:
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.setenv("PIP_RETRIES", "1")
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/index")
    with pytest.raises(UnavailableError, match=r"No package index can be reached for madeup==1\.0"):
        overlay(["madeup==1.0"], python=sys.executable)


def test_without_either_tool_that_is_said(monkeypatch: pytest.MonkeyPatch, index: Path) -> None:
    monkeypatch.setattr(installer, "uv_program", lambda: None)
    monkeypatch.setattr(installer, "pip_words", lambda python: None)
    with pytest.raises(UnavailableError, match=r"Neither uv nor pip is here.*Hint: install one"):
        overlay(["madeup==1.0"], python=sys.executable)


@pytest.mark.parametrize(
    ("requirements", "message"),
    [
        (["./madeup.whl"], "names no version"),
        (["madeup @ https://example.org/madeup.whl"], "is a place, not a version"),
        (["--index-url=https://example.org"], "names no version"),
        (["madeup==1", "MadeUp==2"], "asked for twice"),
        ([], "No other version is asked for"),
        (["madeup==1.0; python_version < '3'"], "Nothing is to be installed for madeup"),
    ],
)
def test_what_is_no_version_is_refused(index: Path, requirements: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        overlay(requirements, python=sys.executable)


@pytest.mark.slow
def test_a_yanked_release_of_the_real_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Release 6.3.1 of multidict was yanked because it leaks."""
    monkeypatch.setenv("DIAGTOOLS_CACHE", str(tmp_path))
    try:
        found = overlay(["multidict==6.3.1"], python=sys.executable)
    except UnavailableError as error:
        pytest.skip(error.message)
    assert run(found, "import multidict; print(multidict.__version__)") == "6.3.1"
