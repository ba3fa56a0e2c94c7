"""Find out why a Python process uses too much memory: record, explain, suspect, experiment, conclude.

The public names are attached lazily: ``import diagtools`` loads no third-party package.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from diagtools.capture.block import track_memory
    from diagtools.capture.limits import limited
    from diagtools.errors import BudgetBreached, DiagtoolsError
    from diagtools.investigations import changes
    from diagtools.investigations.ab import ab
    from diagtools.investigations.bisect import bisect
    from diagtools.investigations.case import Case
    from diagtools.investigations.compare import compare
    from diagtools.investigations.experiment import Experiment
    from diagtools.investigations.explain import explain
    from diagtools.investigations.holders_report import HoldersReport
    from diagtools.investigations.import_cost import assert_not_imported, import_cost
    from diagtools.investigations.leaks import assert_no_leak, leaks
    from diagtools.investigations.ledger_report import LedgerReport
    from diagtools.investigations.profile_report import ProfileReport, live_during
    from diagtools.investigations.profiles import open_profile
    from diagtools.investigations.record import record
    from diagtools.investigations.scan import scan
    from diagtools.investigations.suite_report import SuiteReport
    from diagtools.investigations.sweep import sweep
    from diagtools.profile import Profile
    from diagtools.run import Run
    from diagtools.values import Budget, Finding, Hypothesis, ItemSource, Limit, Snapshots, Target, Tracking

__version__ = "0.1.0"

_HOME_OF = {
    "Budget": "diagtools.values",
    "BudgetBreached": "diagtools.errors",
    "Case": "diagtools.investigations.case",
    "DiagtoolsError": "diagtools.errors",
    "Experiment": "diagtools.investigations.experiment",
    "Finding": "diagtools.values",
    "HoldersReport": "diagtools.investigations.holders_report",
    "Hypothesis": "diagtools.values",
    "ItemSource": "diagtools.values",
    "LedgerReport": "diagtools.investigations.ledger_report",
    "Limit": "diagtools.values",
    "Profile": "diagtools.profile",
    "ProfileReport": "diagtools.investigations.profile_report",
    "Run": "diagtools.run",
    "Snapshots": "diagtools.values",
    "SuiteReport": "diagtools.investigations.suite_report",
    "Target": "diagtools.values",
    "Tracking": "diagtools.values",
    "ab": "diagtools.investigations.ab",
    "assert_no_leak": "diagtools.investigations.leaks",
    "assert_not_imported": "diagtools.investigations.import_cost",
    "bisect": "diagtools.investigations.bisect",
    "compare": "diagtools.investigations.compare",
    "explain": "diagtools.investigations.explain",
    "import_cost": "diagtools.investigations.import_cost",
    "leaks": "diagtools.investigations.leaks",
    "limited": "diagtools.capture.limits",
    "live_during": "diagtools.investigations.profile_report",
    "open_profile": "diagtools.investigations.profiles",
    "record": "diagtools.investigations.record",
    "scan": "diagtools.investigations.scan",
    "sweep": "diagtools.investigations.sweep",
    "track_memory": "diagtools.capture.block",
}

__all__ = [
    "Budget",
    "BudgetBreached",
    "Case",
    "DiagtoolsError",
    "Experiment",
    "Finding",
    "HoldersReport",
    "Hypothesis",
    "ItemSource",
    "LedgerReport",
    "Limit",
    "Profile",
    "ProfileReport",
    "Run",
    "Snapshots",
    "SuiteReport",
    "Target",
    "Tracking",
    "ab",
    "assert_no_leak",
    "assert_not_imported",
    "bisect",
    "changes",
    "compare",
    "explain",
    "import_cost",
    "leaks",
    "limited",
    "live_during",
    "open_profile",
    "record",
    "scan",
    "sweep",
    "track_memory",
]


def __getattr__(name: str) -> object:
    if name == "changes":
        return import_module("diagtools.investigations.changes")
    if name not in _HOME_OF:
        raise AttributeError(f"module 'diagtools' has no attribute {name!r}")
    return getattr(import_module(_HOME_OF[name]), name)


def load_ipython_extension(ipython: object) -> None:
    """``%load_ext diagtools``: gives a notebook the cell magic ``%%record``."""
    import_module("diagtools.notebook.record_cell").load(ipython)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOME_OF, "changes"])
