"""What came of a leak check, in words and as JSON."""

from __future__ import annotations

import json

import polars as pl

from diagtools.analyse.leaks import leak_verdict
from diagtools.frames import HOLDER_GROWTH, LEAK_SITES
from diagtools.present.leaks import headline, leak_json, leak_text
from diagtools.values import State, Validity
from tests.support.leak_runs import log, rising

SITE = {
    "function": "handle",
    "file": "/home/ann/app.py",
    "line": 12,
    "place": "app.py:12",
    "bytes": 100_000,
    "n_allocations": 1600,
    "bytes_per_call": 62.5,
    "share": 1.0,
    "stack": ["main (app.py:3)", "handle (app.py:12)"],
}
HOLDER = {
    "root": "app.cache",
    "kind": "global",
    "path": "app.cache → str × 1,600",
    "type": "str",
    "before_bytes": 0,
    "after_bytes": 100_000,
    "delta_bytes": 100_000,
    "before_n": 1,
    "after_n": 1601,
    "shared_with": [],
}
SITES = pl.DataFrame([SITE], schema=LEAK_SITES.columns)
HOLDERS = pl.DataFrame([HOLDER], schema=HOLDER_GROWTH.columns)
NONE = {"sites": LEAK_SITES.empty(), "holders": HOLDER_GROWTH.empty()}


def test_the_verdict_comes_first_then_why_who_asked_and_who_keeps() -> None:
    made = log(python=rising(64), blocks=rising(1))
    said = leak_text("app:handle", made, leak_verdict(made), sites=SITES, holders=HOLDERS)
    in_one_line = " ".join(said.split())
    places = [
        in_one_line.index(words)
        for words in ("app:handle leaks 64 B a call.", "rises by 64 B a call", "app.py:12", "app.cache")
    ]
    assert places == sorted(places)
    assert "  handle (app.py:12)" in said
    assert max(map(len, said.splitlines())) < 200


def test_every_verdict_has_a_headline() -> None:
    for made, words in (
        (log(), "does not leak"),
        (log(c=lambda n: 300 * min(n, 1500)), "fills up to a bound"),
        (log(stages=(10, 20, 40)), "could not be judged"),
    ):
        assert words in headline("app:handle", leak_verdict(made))


def test_json_is_plain_and_without_homes() -> None:
    made = log(python=rising(64), blocks=rising(1))
    doubt = Validity(what="holders", state=State.SKIPPED, note="no room")
    told = leak_json("app:handle", made, leak_verdict(made), sites=SITES, holders=HOLDERS, validity=[doubt])
    assert json.loads(json.dumps(told)) == told
    assert told["verdict"] == "leak"
    assert told["counters"]["n_blocks"]["per_call"] == 1.0
    assert told["sites"][0]["stack"][-1] == "handle (app.py:12)"
    assert "/home/ann" not in json.dumps(told)
    assert told["holders"][0]["delta_bytes"] == 100_000
    assert told["validity"] == [{"what": "holders", "state": "skipped", "note": "no room"}]


def test_what_c_code_keeps_is_said() -> None:
    made = log(c=rising(112))
    said = leak_text("app:handle", made, leak_verdict(made), **NONE)
    assert "No Python object keeps more than before" in said
