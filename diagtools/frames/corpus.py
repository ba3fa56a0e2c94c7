"""The frames of a corpus: its files, what was left out of it, and what both sum to."""

from __future__ import annotations

from diagtools.frames.frame import FLAG, FLOAT, INT, TEXT, Frame

#: One row a file of a corpus.  ``kind``: generated, hand-written, unreadable; ``why`` names the rule that fired.
#: ``vendored`` is the folder above it that says it is other people's code, ``ignored`` whether git would pass it over
#: (null where nobody asked), ``n_chunks`` an estimate.
CORPUS = Frame(
    "CORPUS",
    {
        "path": TEXT,
        "size_bytes": INT,
        "longest_line": INT,
        "n_lines": INT,
        "mean_line": FLOAT,
        "space_share": FLOAT,
        "kind": TEXT,
        "why": TEXT,
        "vendored": TEXT,
        "ignored": FLAG,
        "n_chunks": INT,
    },
)

#: One row a file or folder that a scan passed over; ``size_bytes`` is null for a folder: nobody looked into it.
PASSED_OVER = Frame("PASSED_OVER", {"path": TEXT, "reason": TEXT, "is_folder": FLAG, "size_bytes": INT})

#: What was passed over, by reason: ``size_bytes`` sums the files whose size is known, ``example`` is one of them.
PASSED_OVER_TOTALS = Frame(
    "PASSED_OVER_TOTALS",
    {"reason": TEXT, "n_files": INT, "n_folders": INT, "size_bytes": INT, "example": TEXT},
)

#: Files of a corpus summed by any key (kind, folder, vendored).  ``generated_bytes`` is the part of ``size_bytes`` in
#: generated files, ``generated_share`` that part as a share, null where there are no bytes.
CORPUS_TOTALS = Frame(
    "CORPUS_TOTALS",
    {
        "key": TEXT,
        "n_files": INT,
        "size_bytes": INT,
        "n_chunks": INT,
        "generated_bytes": INT,
        "generated_share": FLOAT,
    },
)
