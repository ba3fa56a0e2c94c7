"""A made-up run that looks like the real incident: 22 s, 196 items, steps, then a shot to 2 GiB."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from xml.etree import ElementTree

import altair as alt
import polars as pl
import pytest
import vl_convert

from diagtools.frames import CONTRIBUTORS, ITEMS, PHASES, TREE
from diagtools.values import Cause, Death, Effect, Grade, Hypothesis, Verdict

MIB = 2**20
GIB = 2**30
KILLER = "widgetsnbextension/static/extension.js"
HOSTILE = "</script><img src=x onerror=alert(1)>"


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """The frames of one made-up run."""

    tree: pl.DataFrame
    items: pl.DataFrame
    phases: pl.DataFrame
    limit_bytes: int | None = 2 * GIB
    death: Death | None = None
    item_in_flight: str | None = None

    @property
    def arguments(self) -> dict[str, object]:
        """What ``timeline_chart`` takes besides the tree."""
        names = ("phases", "items", "limit_bytes", "death", "item_in_flight")
        return {name: getattr(self, name) for name in names}


@dataclass
class Indexer:
    """An indexer whose arena keeps the largest batch so far, as FACTS §9 measured it."""

    hz: float = 100
    arena_kept: bool = True
    limit_bytes: int = 2 * GIB
    base_bytes: int = 176 * MIB
    chunk_bytes: int = int(10.5 * MIB)
    samples: list[tuple[float, int]] = field(default_factory=list)
    rows: list[dict[str, object]] = field(default_factory=list)
    now: float = 0.0
    kept: int = 0
    dead: bool = False

    def load(self) -> None:
        """Import and load the model: from 20 MiB to the base in 1.4 s."""
        while self.now < 1.4:
            share = self.now / 1.4
            self._sample(int(20 * MIB + (self.base_bytes - 20 * MIB) * share**2))

    def index(self, name: str, n_chunks: int) -> None:
        """Embed one file in one batch."""
        begin, floor = self.now, self._floor()
        need = self.base_bytes + n_chunks * self.chunk_bytes
        took, peak = 0.02 + n_chunks / 110, floor
        while self.now < begin + took and not self.dead:
            rise = min(1.0, (self.now - begin) / took * 1.3)
            peak = max(peak, floor, int(self.base_bytes + (need - self.base_bytes) * rise))
            self._sample(peak)
            self.dead = peak >= self.limit_bytes
        if self.arena_kept:
            self.kept = max(self.kept, peak)
        after = self.samples[-1][1] if self.dead else self._floor()
        if not self.dead:
            self._sample(after)
        self._row(name, begin, peak, floor, after, n_chunks)

    def _floor(self) -> int:
        return max(self.base_bytes, self.kept)

    def _sample(self, rss: int) -> None:
        self.samples.append((self.now, rss))
        self.now += 1 / self.hz

    def _row(self, name: str, begin: float, peak: int, floor: int, after: int, n_chunks: int) -> None:
        features = [
            {"name": "chunks", "value": float(n_chunks)},
            {"name": "size_bytes", "value": 1800.0 * n_chunks},
        ]
        self.rows.append(
            {
                "item": name,
                "index": len(self.rows),
                "pid": 7,
                "tid": 7,
                "begin_s": begin,
                "end_s": self.samples[-1][0],
                "status": "in_flight" if self.dead else "ok",
                "error": None,
                "delta_bytes": after - floor,
                "peak_bytes": peak,
                "demand_bytes": peak - floor,
                "features": features,
            }
        )

    def recorded(self) -> Recorded:
        """The frames of what ran so far."""
        t, rss = zip(*self.samples, strict=True)
        used = [value - 4 * MIB for value in rss]
        tree = TREE.from_columns(
            {"t_s": [*t], "rss_bytes": [*rss], "used_bytes": used, "n_processes": [1] * len(t)}
        )
        names = list(ITEMS.columns)
        items = ITEMS.from_columns({name: [row.get(name) for row in self.rows] for name in names})
        death = Death(
            cause=Cause.WATCHDOG, grade=Grade.PROVEN, evidence=("the watchdog sent SIGKILL",), t_s=t[-1]
        )
        return Recorded(
            tree=tree,
            items=items,
            phases=_phases(t[-1]),
            death=death if self.dead else None,
            item_in_flight=str(self.rows[-1]["item"]) if self.dead else None,
        )


def _phases(end: float) -> pl.DataFrame:
    return PHASES.from_columns(
        {
            "phase": ["load model", "walk", "index"],
            "pid": [7, 7, 7],
            "begin_s": [0.05, 1.4, 1.46],
            "end_s": [1.4, 1.46, end],
            "status": ["ok", "ok", "in_flight"],
            "peak_bytes": [None, None, None],
        }
    )


def corpus() -> list[tuple[str, int]]:
    """196 files as (name, chunks); the largest is the last one."""
    dice = random.Random(9)
    files = [
        (f"jupyterlab/handlers/module_{n:02d}.py", max(1, int(dice.expovariate(1 / 4)))) for n in range(44)
    ]
    files += [
        (f"jupyterlab/static/{dice.getrandbits(40):010x}.js", max(1, int(dice.expovariate(1 / 8))))
        for _ in range(127)
    ]
    files += [(f"jupyterlab_server/part_{n:02d}.py", max(1, int(dice.expovariate(1 / 4)))) for n in range(22)]
    files[60] = (files[60][0], 22)
    files[120] = (files[120][0], 31)
    files[150] = ("jupyterlab/static/vendors-node_modules_mathjax-full_js_output_chtml_js.js", 48)
    return [
        *files,
        ("widgetsnbextension/__init__.py", 1),
        ("widgetsnbextension/_version.py", 1),
        (KILLER, 479),
    ]


def killed_run(**options: object) -> Recorded:
    """The incident."""
    indexer = Indexer(**options)  # type: ignore[arg-type]
    indexer.load()
    for name, n_chunks in corpus():
        if not indexer.dead:
            indexer.index(name, n_chunks)
    return indexer.recorded()


def finished_run(batch: int = 10**6, *, without_generated: bool = False) -> Recorded:
    """The incident mended: generated files left out, batches bounded, or both."""
    indexer = Indexer()
    indexer.load()
    for name, n_chunks in corpus():
        if without_generated and (name == KILLER or name.endswith(".js")):
            continue
        for start in range(0, n_chunks, batch):
            indexer.index(name, min(batch, n_chunks - start))
    return indexer.recorded()


@pytest.fixture(scope="session")
def killed() -> Recorded:
    """The incident."""
    return killed_run()


@pytest.fixture(scope="session")
def shrunk() -> Recorded:
    """The incident with an arena that is shrunk after each file: a flat curve, and killed all the same."""
    return killed_run(arena_kept=False)


@pytest.fixture(scope="session")
def finished() -> Recorded:
    """The incident with generated files left out."""
    return finished_run(without_generated=True)


@pytest.fixture(scope="session")
def hostile() -> str:
    """A file name that would like to be a script, a new line and a colour."""
    return f"src/{HOSTILE}\n\x1b[31m\u202e/a.js"


@pytest.fixture(scope="session")
def contributors_of() -> Callable[..., pl.DataFrame]:
    """CONTRIBUTORS from rows of (key, own demand in MiB, kept in MiB)."""

    def make(*rows: tuple[str, int | None, int | None]) -> pl.DataFrame:
        keys, demand, kept = (list(column) for column in zip(*rows, strict=True))
        total = sum(value or 0 for value in kept)
        return CONTRIBUTORS.from_columns(
            {
                "key": keys,
                "n_items": [1] * len(keys),
                "n_failed": [0] * len(keys),
                "delta_bytes": [None if value is None else value * MIB for value in kept],
                "share": [value / total if value is not None and total > 0 else None for value in kept],
                "peak_bytes": [None] * len(keys),
                "demand_bytes": [None if value is None else value * MIB for value in demand],
            }
        )

    return make


@pytest.fixture(scope="session")
def tree_of() -> Callable[..., pl.DataFrame]:
    """TREE from sizes in MiB, one a second; ``used`` where the limit compares something else."""

    def make(*mib: float, used: Sequence[float] | None = None) -> pl.DataFrame:
        return TREE.from_columns(
            {
                "t_s": [float(second) for second in range(len(mib))],
                "rss_bytes": [int(value * MIB) for value in mib],
                "used_bytes": [int(value * MIB) for value in used or mib],
                "n_processes": [1] * len(mib),
            }
        )

    return make


@pytest.fixture(scope="session")
def items_of() -> Callable[..., pl.DataFrame]:
    """ITEMS from rows of (name, begin, end, status, own demand in MiB)."""

    def make(*rows: tuple[str, float, float | None, str, int | None]) -> pl.DataFrame:
        names, begin, end, status, demand = (list(column) for column in zip(*rows, strict=True))
        n = len(names)
        return ITEMS.from_columns(
            {
                "item": names,
                "index": list(range(n)),
                "pid": [7] * n,
                "tid": [7] * n,
                "begin_s": begin,
                "end_s": end,
                "status": status,
                "error": [None] * n,
                "begin_rss_bytes": [None] * n,
                "end_rss_bytes": [None] * n,
                "delta_bytes": [None] * n,
                "peak_bytes": [None] * n,
                "demand_bytes": [None if value is None else value * MIB for value in demand],
                "features": [[{"name": "chunks", "value": 3.0}]] * n,
            }
        )

    return make


@pytest.fixture(scope="session")
def effect_of() -> Callable[..., Effect]:
    """An effect of one baseline run and one run with the change, in MiB; at 2048 a run was killed."""

    def make(name: str, verdict: Verdict, before: float, after: float | None, **options: object) -> Effect:
        is_killed = (before >= 2048, after is not None and after >= 2048)
        change = None if all(is_killed) or after is None else after / before - 1
        known: dict[str, object] = {
            "hypothesis": Hypothesis(
                name=name, suspicion=f"{name}.", change="--x", variant=name, mend=f"no {name}"
            ),
            "verdict": verdict,
            "reason": "as the numbers say",
            "n_baseline": 1,
            "n_baseline_killed": int(is_killed[0]),
            "n_variant": 1,
            "n_variant_killed": int(is_killed[1]),
            "baseline_value": before * MIB,
            "variant_value": None if after is None else after * MIB,
            "baseline_is_bound": is_killed[0],
            "variant_is_bound": is_killed[1],
            "change_share": change,
            "low_share": change,
            "high_share": change,
            "rescued": is_killed[0] and not is_killed[1],
            "same_item": True if all(is_killed) else None,
        }
        return Effect(**{**known, **options})  # type: ignore[arg-type]

    return make


@pytest.fixture(scope="session")
def drawn() -> Callable[[alt.TopLevelMixin], str]:
    """Draws a chart with the newest Vega-Lite and with the oldest that JupyterLab has; the newest SVG."""

    def draw(chart: alt.TopLevelMixin) -> str:
        spec = chart.to_dict()  # validates
        older = {**spec, "$schema": "https://vega.github.io/schema/vega-lite/v5.json"}
        assert "<svg" in vl_convert.vegalite_to_svg(older, vl_version="5.8", allowed_base_urls=[])
        assert vl_convert.vegalite_to_png(spec, allowed_base_urls=[]).startswith(b"\x89PNG")
        return vl_convert.vegalite_to_svg(spec, allowed_base_urls=[])

    return draw


@pytest.fixture(scope="session")
def words() -> Callable[[alt.TopLevelMixin], list[str]]:
    """Every text of a chart, line by line: titles, labels, values."""

    def read(chart: alt.TopLevelMixin) -> list[str]:
        root = ElementTree.fromstring(vl_convert.vegalite_to_svg(chart.to_dict(), allowed_base_urls=[]))
        return ["".join(text.itertext()) for text in root.iter("{http://www.w3.org/2000/svg}text")]

    return read


@pytest.fixture(scope="session")
def title_of() -> Callable[[alt.TopLevelMixin], str]:
    """The title of a chart, its lines joined."""

    def read(chart: alt.TopLevelMixin) -> str:
        return " ".join(chart.to_dict()["title"]["text"])

    return read


@pytest.fixture(scope="session")
def rows_of() -> Callable[[alt.TopLevelMixin], list[dict[str, object]]]:
    """Every row of data that a chart holds."""

    def read(chart: alt.TopLevelMixin) -> list[dict[str, object]]:
        return [row for rows in chart.to_dict()["datasets"].values() for row in rows]

    return read
