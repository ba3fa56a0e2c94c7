"""The frames of a model's loading: what each process measured, and what came of it over all of them."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from diagtools.frames.frame import FLOAT, INT, TEXT, Frame
from diagtools.values import Validity

#: One row a phase of one process, in order of time.  ``peak_bytes`` is the highest RSS within the phase, by the kernel,
#: null where it does not say; ``n_inputs`` is null where the model was not given a number.  The three last are of the
#: phase's end and sum to ``rss_after_bytes``.
MODEL_PHASES = Frame(
    "MODEL_PHASES",
    {
        "phase": TEXT,
        "n_inputs": INT,
        "wall_s": FLOAT,
        "cpu_s": FLOAT,
        "rss_before_bytes": INT,
        "peak_bytes": INT,
        "rss_after_bytes": INT,
        "anon_bytes": INT,
        "file_bytes": INT,
        "shmem_bytes": INT,
    },
)

#: One row a process of two that live at the same time.  ``pss_bytes``: each page counted by its share, so that they sum
#: to what both take; ``private_bytes``: pages of nobody else; ``alone_bytes``: that sum when only one had the model.
MODEL_PROCESSES = Frame(
    "MODEL_PROCESSES",
    {"role": TEXT, "rss_bytes": INT, "pss_bytes": INT, "private_bytes": INT, "alone_bytes": INT},
)

#: One row a way of loading, figure and process that measured it (``round``).  Bytes and seconds, by the figure's name.
MODEL_FIGURES = Frame("MODEL_FIGURES", {"way": TEXT, "round": INT, "figure": TEXT, "value": FLOAT})

#: The same over all rounds: median and range.
MODEL_SPREADS = Frame(
    "MODEL_SPREADS",
    {"way": TEXT, "figure": TEXT, "n_rounds": INT, "value": FLOAT, "low_value": FLOAT, "high_value": FLOAT},
)

#: One row a way and number of inputs in one batch, of the rounds' medians: ``activation_bytes`` is how far the RSS rose
#: within it above what the process held after a single input, ``kept_bytes`` what of that was still there after it.
MODEL_BATCHES = Frame(
    "MODEL_BATCHES",
    {
        "way": TEXT,
        "n_inputs": INT,
        "n_rounds": INT,
        "activation_bytes": INT,
        "low_bytes": INT,
        "high_bytes": INT,
        "kept_bytes": INT,
        "wall_s": FLOAT,
    },
)

#: One row a way: what it answered against the first way's answer.  ``largest_difference`` of any number,
#: ``least_cosine`` of any row; null where one of them gave nothing that can be compared.
MODEL_ANSWERS = Frame(
    "MODEL_ANSWERS",
    {"way": TEXT, "n_rows": INT, "n_columns": INT, "largest_difference": FLOAT, "least_cosine": FLOAT},
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFailure:
    """Why it could not go on: ``kind`` as in ``probes.models.FAILURES``, in which phase, at which line."""

    phase: str
    kind: str
    place: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ModelAnswer:
    """What the model answered in its first inference: rows of numbers, one after the other."""

    n_rows: int
    n_columns: int
    values: pl.Series


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ModelLog:
    """What one process wrote that loaded a model.

    ``phases`` is MODEL_PHASES, ``processes`` MODEL_PROCESSES.  ``is_ended``: it came to its end, or said why not.
    """

    mode: str
    loader: str
    infer: str
    python: str
    is_ended: bool
    failure: ModelFailure | None
    phases: pl.DataFrame
    processes: pl.DataFrame
    answer: ModelAnswer | None
    validity: tuple[Validity, ...] = ()
