"""The frames of growth and its forecast: which class it is of, what fits it, and where it leads."""

from __future__ import annotations

from diagtools.frames.frame import FLAG, FLOAT, INT, TEXT, Frame

#: One row a class of growth, the likeliest first.  ``score`` is its share of the belief: the scores sum to 1, or all
#: are 0 where there is too little to judge by.  ``unexplained_bytes`` is how far a level lies from its best fit,
#: usually; null where the class has none.
GROWTH_EVIDENCE = Frame(
    "GROWTH_EVIDENCE",
    {"growth_class": TEXT, "score": FLOAT, "unexplained_bytes": INT, "for": TEXT, "against": TEXT},
)

#: One row a point of the curve that was judged.  ``at`` is how many items had ended, or seconds; ``level_bytes`` what
#: was held then, ``source`` who read it (``marker``: the program's own, as the item ended; ``sample``: the recorder, up
#: to a sample earlier), ``highest_bytes`` the most since the point before (null where no sample fell between them),
#: ``fitted_bytes`` what the fitted class says (null where none was fitted).
GROWTH_CURVE = Frame(
    "GROWTH_CURVE",
    {"at": FLOAT, "level_bytes": INT, "source": TEXT, "highest_bytes": INT, "fitted_bytes": INT},
)

#: One row an item (or a second), those that were seen and those to come.  ``at`` counts from 1 (or is seconds),
#: ``item`` is null where its name is not known, ``peak_bytes`` what was seen (of an item between two samples
#: by its own markers), ``forecast_bytes`` what is expected with the range ``low_bytes``..``high_bytes``, all three of
#: the highest since the start.
FORECAST = Frame(
    "FORECAST",
    {
        "at": FLOAT,
        "item": TEXT,
        "to_come": FLAG,
        "peak_bytes": INT,
        "forecast_bytes": INT,
        "low_bytes": INT,
        "high_bytes": INT,
    },
)
