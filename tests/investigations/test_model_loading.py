"""Loaders of one's own, measured side by side; and what is said of one that is wrong."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import polars as pl
import pytest

from diagtools.analyse.model_figures import Figure, wide
from diagtools.errors import BudgetBreached, DiagtoolsError, NoDataError, UnavailableError, UsageError
from diagtools.investigations.loaders import own_ways, ways_of
from diagtools.investigations.model_loading import ModelLoading
from diagtools.present.prose import Prose
from diagtools.present.shown import CASE_KEY

MIB = 2**20

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="what the kernel of Linux says")

MODELS = '''
import mmap, os

SIZE = 48 << 20

def pages(mib):
    made = mmap.mmap(-1, mib << 20, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    for place in range(0, mib << 20, 4096):
        made[place] = 1
    return made

def copied():
    """Two copies at once, one is kept."""
    spare = pages(48)
    return pages(48), spare.close()

def mapped():
    with open("weights.bin", "rb") as file:
        made = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
    sum(made[place] for place in range(0, SIZE, 4096))
    return made

def infer(model, n=1):
    pages(2 * n).close()
    return [[1.0, 0.0]]

def once(model):
    return [[1.0, 0.0]]

def needs(path):
    return path

def raises():
    raise OSError("password=hunter2hunter2 is refused")

def dies():
    os.kill(os.getpid(), 9)

def hangs():
    import time
    time.sleep(60)

number = 7
'''

ABSENT = """
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name == "torch":
            raise ModuleNotFoundError("No module named 'torch'", name=name)

sys.meta_path.insert(0, Absent())
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mine")
    (folder / "mymodels.py").write_text(MODELS)
    (folder / "weights.bin").write_bytes(bytes(range(256)) * (48 << 12))
    return folder


@pytest.fixture
def here(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place)


@pytest.fixture(scope="module")
def case(place: Path) -> ModelLoading:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        made = ModelLoading(
            loader="mymodels:copied, mymodels:mapped",
            infer="mymodels:infer",
            model_size="48 MiB",
            batches="2, 8",
            rounds=2,
        )
        made.findings()
        return made


def test_two_copies_are_told_from_a_mapped_file(case: ModelLoading) -> None:
    known = wide(case.spreads)
    copied, mapped = known["mymodels:copied"], known["mymodels:mapped"]
    assert copied[Figure.COPIES] == pytest.approx(2, abs=0.15)
    assert copied[Figure.TRANSIENT_BYTES] == pytest.approx(48 * MIB, abs=4 * MIB)
    assert mapped[Figure.COPIES] == pytest.approx(1, abs=0.15)
    assert copied[Figure.ANON_BYTES] - mapped[Figure.ANON_BYTES] == pytest.approx(48 * MIB, abs=4 * MIB)


def test_every_round_is_a_process_of_its_own(case: ModelLoading) -> None:
    assert set(case.figures["round"]) == {1, 2}
    assert case.spreads["n_rounds"].unique().to_list() == [2]
    folders = [path.name for path in case._folder.iterdir()]
    assert len(folders) == 2 * (1 + 2 * 3 + 2)  # held, three kinds a round, batches


def test_a_second_process_shares_the_mapped_file_alone(case: ModelLoading) -> None:
    known = wide(case.spreads)
    assert known["mymodels:copied"][Figure.APART_ADDED_BYTES] >= 46 * MIB
    assert known["mymodels:mapped"][Figure.APART_ADDED_BYTES] < 24 * MIB
    assert known["mymodels:copied"][Figure.FORK_ADDED_BYTES] < 24 * MIB


def test_the_curve_of_the_batches_is_what_each_input_asks_for(case: ModelLoading) -> None:
    for row in case.batches.iter_rows(named=True):
        assert row["activation_bytes"] == pytest.approx(2 * MIB * row["n_inputs"], abs=3 * MIB)
        assert row["kept_bytes"] < 3 * MIB


def test_the_ledger_is_of_the_process_that_holds_the_model(case: ModelLoading) -> None:
    sizes = dict(case.ledger("mymodels:mapped").ledger.select("component", "bytes").iter_rows())
    assert (
        sizes["file data"] + sizes["unwritten file data"] >= 48 * MIB
    )  # the file may be younger than a write-back
    copied = case.ledger("mymodels:copied").ledger
    assert copied.filter(pl.col("component").str.ends_with("file data"))["bytes"].sum() < 8 * MIB
    assert copied["bytes"].sum() >= 48 * MIB


def test_its_sentences_and_pictures_are_computed(case: ModelLoading) -> None:
    text = str(case.conclusion())
    assert "'mymodels:mapped' has least memory for itself" in text
    assert "While 'mymodels:copied' is loaded, memory rises by 2.0 times" in text
    assert "'mymodels:mapped' answers as 'mymodels:copied' does" in text
    assert case.headlines()[0].startswith("Loading 'mymodels:copied' takes up to")
    assert "mymodels:mapped" in str(case.overview())
    assert "second load" in str(case.lifecycle())
    for chart in (case.loading_chart(), case.sharing_chart(), case.batches_chart(), case.waterfall()):
        json.dumps(chart.to_dict())
    assert case._repr_mimebundle_()[1][CASE_KEY]["headlines"] == case.headlines()


def test_a_budget_that_is_kept_and_one_that_is_not(case: ModelLoading) -> None:
    assert "Budget kept: the peak of loading 'mymodels:mapped'" in str(
        case.keep_budget("1 GiB", "mymodels:mapped")
    )
    with pytest.raises(
        BudgetBreached, match=r"the peak of loading 'mymodels:copied' is .* above its budget of 90\.0 MiB"
    ):
        case.keep_budget("90 MiB")
    assert "No budget is set" in str(case.keep_budget(""))
    with pytest.raises(NoDataError, match=r"'torch' was not measured\..*one of: mymodels:copied"):
        case.keep_budget("1 GiB", "torch")


@pytest.mark.parametrize(
    ("loader", "said"),
    [
        (
            "nowhere:load",
            "Module 'nowhere' cannot be imported: ModuleNotFoundError: No module named 'nowhere'",
        ),
        ("mymodels:lod", "mymodels:lod cannot be found: module 'mymodels' has no attribute 'lod'"),
        ("mymodels:number", "mymodels:number is of type int, which cannot be called"),
        (
            "mymodels:needs",
            "mymodels:needs could not be called: TypeError: .*missing 1 required .*Hint: wrap it",
        ),
        (
            "mymodels:raises",
            r"mymodels:raises raised in the phase 'load': OSError: .*mymodels.py:\d+\).*Hint: try it alone",
        ),
        (
            "mymodels:dies",
            "mymodels:dies ended the process with exit status 137; it had last finished: import",
        ),
        ("mymodels:hangs", "mymodels:hangs did not come to its end within 2 s; .*Hint: -p timeout_s=600"),
    ],
)
@pytest.mark.usefixtures("here")
def test_a_wrong_loader_is_one_clear_error(loader: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        ModelLoading(loader=loader, timeout_s=2 if "hangs" in loader else 60, rounds=1).overview()
    assert "hunter2hunter2" not in str(caught.value)


@pytest.mark.usefixtures("here")
def test_without_infer_it_is_measured_too() -> None:
    case = ModelLoading(loader="mymodels:mapped", rounds=1)
    assert wide(case.spreads)["mymodels:mapped"][Figure.FILE_BYTES] >= 48 * MIB
    assert isinstance(case.batches_chart(), Prose)
    assert case.answers["largest_difference"].to_list() == [None]
    assert "—" in str(case.overview())  # nobody said how large the model is


@pytest.mark.usefixtures("here")
def test_an_infer_that_takes_no_number_has_no_batches() -> None:
    with pytest.raises(UsageError, match="mymodels:once does not take a number of inputs"):
        ModelLoading(loader="mymodels:mapped", infer="mymodels:once").batches_chart()


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"ways": "file, flie"}, "There is no way of loading called 'flie'"),
        ({"ways": ""}, "No way of loading is named"),
        ({"loader": "mymodels.load"}, "loader='mymodels.load' does not name a callable"),
        ({"loader": "my models:load"}, "does not name a callable"),
        ({"loader": "m:load", "infer": "run"}, "infer='run' does not name a callable"),
        ({"rounds": 0}, "rounds=0 is not a whole number above zero"),
        ({"batches": "2, x"}, "batches='2, x' is no list of numbers"),
        ({"batches": "0"}, "batches='0' is no list of numbers"),
        ({"model_size": "90"}, "has no unit"),
        ({"timeout_s": 0}, "timeout_s=0 is not a number above zero"),
    ],
)
def test_wrong_parameters_are_said_before_anything_runs(parameters: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        ModelLoading(**parameters)  # type: ignore[arg-type]


def test_a_way_that_is_not_installed_has_a_row_that_says_so(place: Path, tmp_path: Path) -> None:
    """An interpreter without torch, beside a way that is measured."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        case = ModelLoading(ways="lazy, torch", rounds=1, batches="", torch_python=_without_torch(tmp_path))
        try:
            table = str(case.overview())
        except UnavailableError as error:
            pytest.skip(str(error))
    assert "not installed here: No module named 'torch'" in table
    assert "torch was not measured: not installed here" in str(case.conclusion())
    assert list(case.held) == ["lazy"]


def _without_torch(folder: Path) -> str:
    """This interpreter, with a torch that is not there, whatever is installed."""
    path = folder / "python"
    (folder / "sitecustomize.py").write_text(ABSENT)
    path.write_text(f'#!/bin/sh\nPYTHONPATH="{folder}:$PYTHONPATH" exec {sys.executable} "$@"\n')
    path.chmod(0o755)
    return str(path)


def test_the_names_of_the_ways_are_the_programs_own() -> None:
    (way,) = own_ways("shared")
    assert way.loader == "workloads.rag.loaders.onnx_shared:load"
    (mine,) = ways_of("pkg.sub:Loader.load", "", python="/usr/bin/python3")
    assert (mine.name, mine.python, mine.search_path) == ("pkg.sub:Loader.load", "/usr/bin/python3", "")
    assert own_ways("torch", torch_python="/venv/bin/python")[0].python == "/venv/bin/python"
    assert own_ways("file", torch_python="/venv/bin/python")[0].python == sys.executable


def test_every_error_has_a_hint(here: None) -> None:
    for loader in ("nowhere:load", "mymodels:number", "mymodels:raises"):
        with pytest.raises(DiagtoolsError) as caught:
            ModelLoading(loader=loader, rounds=1).overview()
        assert caught.value.hint
