"""The frozen values that pass between layers."""

from __future__ import annotations

from diagtools.values.changes import Applied, Changes, Overlay, Patch
from diagtools.values.experiments import Effect, Hypothesis, Moved, Outcome, Role, Verdict
from diagtools.values.findings import Budget, Cause, Death, Ending, Finding, Grade, State, Validity
from diagtools.values.manifest import Artefact, Manifest
from diagtools.values.target import (
    MOST_FRAMES,
    MOST_INTERVAL_MS,
    Enforcer,
    ItemSource,
    Limit,
    Snapshots,
    Target,
    Tool,
    Tracking,
)

__all__ = [
    "MOST_FRAMES",
    "MOST_INTERVAL_MS",
    "Applied",
    "Artefact",
    "Budget",
    "Cause",
    "Changes",
    "Death",
    "Effect",
    "Ending",
    "Enforcer",
    "Finding",
    "Grade",
    "Hypothesis",
    "ItemSource",
    "Limit",
    "Manifest",
    "Moved",
    "Outcome",
    "Overlay",
    "Patch",
    "Role",
    "Snapshots",
    "State",
    "Target",
    "Tool",
    "Tracking",
    "Validity",
    "Verdict",
]
