"""``diagtools show``: text, the JSON of the contract, a picture, and runs that are not whole."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from diagtools.cli import main
from tests.support.runs import MIB, Recording, begin, end, make_run

CONTRACT = {
    *(
        "run",
        "exit_status",
        "duration_s",
        "peak_rss_bytes",
        "limit_bytes",
        "death",
        "item_in_flight",
        "items",
    ),
    *(
        "folders",
        "unattributed_bytes",
        "growth",
        "last_log_lines",
        "ledger",
        "holders",
        "validity",
        "findings",
    ),
}


@pytest.fixture
def killed(tmp_path: Path) -> Path:
    """A run under a limit of 100 MiB that the watchdog ended in its second item."""
    recording = Recording().start().event(0.0, "cap", 100 * MIB).ramp([10, 20, 30, 40, 80, 101])
    recording.output(0.02, 40, stream=2).event(0.05, "watchdog", 101 * MIB, 100 * MIB).close(
        0.06, exit_status=137
    )
    return make_run(
        tmp_path / "killed",
        recording,
        markers=[begin(0.0, "src/a.py"), end(0.02, "src/a.py"), begin(0.03, "lib/b.js", index=2)],
        stderr=b"token=abc123secret is bad\nWARNING b is large\n",
        manifest={"exit_status": 137, "limit": {"memory_bytes": 100 * MIB, "enforcer": "watchdog"}},
    )


def test_text_names_death_item_and_last_words(killed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What killed it, what it was working on, what it said last; secrets stay out."""
    assert main(["show", str(killed)]) == 0
    said = capsys.readouterr().out
    assert "watchdog" in said
    assert "lib/b.js" in said
    assert "WARNING b is large" in said
    assert "abc123secret" not in said
    assert max(map(len, said.splitlines())) <= 100


def test_json_is_the_contract(killed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every key of the contract, bytes as integers, items and the rest adding up to the growth."""
    assert main(["show", str(killed), "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert set(shown) >= CONTRACT
    assert shown["exit_status"] == 137
    assert (shown["death"]["cause"], shown["death"]["grade"]) == ("watchdog", "proven")
    assert shown["item_in_flight"] == "lib/b.js"
    assert shown["peak_rss_bytes"] == 101 * MIB
    assert shown["limit_bytes"] == 100 * MIB
    kept = sum(item["delta_bytes"] for item in shown["items"]) + shown["unattributed_bytes"]
    assert kept == 91 * MIB
    assert sum(row["delta_bytes"] for row in shown["folders"]) + shown["unattributed_bytes"] == 91 * MIB


@pytest.mark.parametrize("option", [[], ["--json"]])
def test_words_need_no_charts(killed: Path, option: list[str]) -> None:
    """What draws takes longer to load than all else together."""
    code = (
        "import sys; from diagtools.cli import main; status = main(sys.argv[1:]);"
        "sys.exit(status or ','.join({'altair', 'vl_convert', 'IPython', 'numpy'} & set(sys.modules)) or 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "show", str(killed), *option], capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "lib/b.js" in done.stdout


def test_png(killed: Path, tmp_path: Path) -> None:
    """A picture of the timeline; one that cannot be written is a clear error."""
    assert main(["show", str(killed), "--png", str(tmp_path / "x.png")]) == 0
    assert (tmp_path / "x.png").read_bytes().startswith(b"\x89PNG")
    assert main(["show", str(killed), "--png", str(tmp_path / "no" / "x.png")]) == 2


@pytest.mark.parametrize("name", ["x.txt", "x", "x.svg", "."])
def test_a_picture_is_a_png(
    killed: Path, tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Any other name is refused before anything is drawn or said."""
    before = set(tmp_path.iterdir())
    assert main(["show", str(killed), "--png", str(tmp_path / name) if name != "." else name]) == 2
    said = capsys.readouterr()
    assert (said.out, said.err.count("\n")) == ("", 2)
    assert "is not the name of a PNG" in said.err
    assert "Hint: --png " in said.err
    assert set(tmp_path.iterdir()) == before


def test_a_process_that_ended_while_attached_is_said_to_have_ended(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recording = Recording().header().event(0.0, "attached").process(0.0).ramp([10]).event(0.02, "closed")
    folder = make_run(tmp_path / "run", recording, manifest={"exit_status": None})
    assert main(["show", str(folder)]) == 0
    assert "\nEnded, its exit status was not seen\n" in capsys.readouterr().out


def test_without_a_name_the_newest_run_is_shown(
    killed: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The store is asked."""
    monkeypatch.setenv("DIAGTOOLS_STORE", str(killed.parent))
    assert main(["show"]) == 0
    assert "killed" in capsys.readouterr().out


@pytest.mark.parametrize("as_json", [False, True])
def test_no_run_is_one_clear_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], *, as_json: bool
) -> None:
    """Not a folder, an empty one, an empty store: exit 2, a hint, no traceback."""
    empty = tmp_path / "empty"
    empty.mkdir()
    for path in (tmp_path / "none", empty):
        assert main(["show", str(path), *(["--json"] if as_json else [])]) == 2
        said = capsys.readouterr()
        if as_json:
            assert json.loads(said.out)["error"]["kind"] == "not-a-run"
        else:
            assert said.err.startswith("diagtools: ")
            assert "Traceback" not in said.err


def test_half_a_run_says_what_is_missing(killed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """run.json gone and the timeline cut in the middle of a record: shown all the same."""
    (killed / "run.json").unlink()
    timeline = killed / "timeline.bin"
    timeline.write_bytes(timeline.read_bytes()[: 6 * 64 + 30])
    assert main(["show", str(killed), "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["peak_rss_bytes"] is not None
    assert any(row["state"] == "truncated" for row in shown["validity"])


def test_a_run_without_any_sample(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The target ended before the first sample: unknown is null, and that is said."""
    folder = make_run(tmp_path / "quick", Recording().start().close(0.001), manifest={"exit_status": 0})
    assert main(["show", str(folder), "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["peak_rss_bytes"] is None
    assert shown["unattributed_bytes"] is None
    assert shown["validity"]
    assert main(["show", str(folder)]) == 0


def test_a_marker_log_cut_between_two_lines_is_said(killed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing inside the file shows it: its size and checksum do."""
    log = killed / "markers.log"
    log.write_bytes(b"".join(log.read_bytes().splitlines(keepends=True)[:1]))
    assert main(["show", str(killed), "--json"]) == 0
    validity = json.loads(capsys.readouterr().out)["validity"]
    assert [row["what"] for row in validity if row["state"] == "truncated"] == ["markers.log"]
