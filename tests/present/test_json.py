"""The contract of ``--json``."""

from __future__ import annotations

import json
import math

from diagtools.present.json import show_json
from diagtools.values import Cause, Death, Finding, Grade, State, Validity

MIB = 2**20


def test_every_key_of_the_contract_is_there_and_null_where_unknown() -> None:
    assert show_json(run="run-7") == {
        "run": "run-7",
        "exit_status": None,
        "duration_s": None,
        "peak_rss_bytes": None,
        "limit_bytes": None,
        "death": None,
        "item_in_flight": None,
        "items": [],
        "folders": [],
        "unattributed_bytes": None,
        "growth": None,
        "last_log_lines": [],
        "ledger": None,
        "ledger_snapshot": None,
        "holders": None,
        "holders_snapshot": None,
        "validity": [],
        "findings": [],
    }


def test_a_killed_run(contributors_of) -> None:
    said = show_json(
        run="run-7",
        death=Death(cause=Cause.WATCHDOG, grade=Grade.PROVEN, evidence=("seen",), t_s=2.0),
        exit_status=137,
        peak_bytes=2048 * MIB,
        by_item=contributors_of(("a", 9, 3), ("b", 1, 1)),
        by_folder=contributors_of((".", 9, 4)),
        validity=[Validity(what="tree", state=State.SHARED_N_TIMES, note="2 processes")],
        findings=[Finding(sentence="So.")],
        last_log_lines=["token=abc123def"],
    )
    assert said["death"] == {
        "grade": "proven",
        "cause": "watchdog",
        "evidence": ["seen"],
        "t_s": 2.0,
        "last_sample_age_s": None,
    }
    assert [(row["item"], row["delta_bytes"], row["share"]) for row in said["items"]] == [
        ("a", 3 * MIB, 0.75),
        ("b", MIB, 0.25),
    ]
    assert said["folders"][0]["folder"] == "."
    assert said["validity"] == [
        {"what": "tree", "state": "shared memory counted n times", "note": "2 processes"}
    ]
    assert said["last_log_lines"] == ["token=[redacted]"]
    json.loads(json.dumps(said, allow_nan=False))


def test_strange_values_are_still_json() -> None:
    said = show_json(run="r", duration_s=math.nan, item_in_flight="bad\udcff", last_log_lines=["\udcfe\x00"])
    text = json.dumps(said, allow_nan=False, ensure_ascii=False).encode("utf-8")
    assert json.loads(text)["item_in_flight"] == "bad\\udcff"
    assert json.loads(text)["duration_s"] is None


def test_a_secret_in_an_items_name_is_redacted(contributors_of) -> None:
    name = "password=hunter2inname.txt"
    said = show_json(run="run-7", by_item=contributors_of((name, 9, 3)), item_in_flight=name)
    assert "hunter2" not in json.dumps(said)
