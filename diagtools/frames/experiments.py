"""The frames of experiments: what each pair changed, and what a sweep over one parameter measured."""

from __future__ import annotations

from diagtools.frames.frame import FLAG, FLOAT, INT, TEXT, Frame

#: One row a pair of one comparison, in order of time (``order`` is the later of its two runs).  ``change`` is variant
#: minus baseline, null where a value is missing or a run was killed: its value is then a lower bound.
#: ``change_share`` is that over the baseline, null also where the baseline is not above zero.
PAIR_CHANGES = Frame(
    "PAIR_CHANGES",
    {
        "pair": INT,
        "order": INT,
        "baseline_value": FLOAT,
        "variant_value": FLOAT,
        "baseline_outcome": TEXT,
        "variant_outcome": TEXT,
        "change": FLOAT,
        "change_share": FLOAT,
    },
)

#: One row a run of a sweep.  ``value`` is what the parameter was, ``metric_value`` what was measured (a lower bound
#: where ``is_killed``, null where nothing was), ``fitted`` what the fit says there; null without one.
SWEEP = Frame(
    "SWEEP", {"value": FLOAT, "run": TEXT, "is_killed": FLAG, "metric_value": FLOAT, "fitted": FLOAT}
)

#: The fit of a sweep between its values, close enough to draw.
SWEEP_CURVE = Frame("SWEEP_CURVE", {"value": FLOAT, "fitted": FLOAT})
