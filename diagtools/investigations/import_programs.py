"""Programs whose imports can be studied by name."""

from __future__ import annotations

import shlex
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """What is studied: statements to import, a command that pays for them, and both as they are when mended.

    Empty where there is none.  ``forbid`` names a package that the mended statement must not import, ``budget`` what
    it may take.  ``wild_package`` is an optional dependency of ``wild_target``: a case found elsewhere, beside it.
    """

    target: str
    suite: str = ""
    fixed: str = ""
    fixed_suite: str = ""
    forbid: str = ""
    budget: str = ""
    wild_target: str = ""
    wild_package: str = ""


def known() -> dict[str, Program]:
    """Programs that can be studied by name."""
    spec = find_spec("workloads.knowledge.tests")
    folder = Path(spec.origin or ".").parent if spec else Path()
    place = folder.relative_to(Path.cwd()) if folder.is_relative_to(Path.cwd()) else folder
    # Without the part that loads models and keeps memory as it runs: that is another question than imports.
    words = (sys.executable, "-m", "pytest", "-q", str(place), f"--ignore={place / 'skills'}")
    pytest = shlex.join(words)
    knowledge = Program(
        target="from workloads.knowledge.eager.config import KnowledgeConfig",
        suite=f"env PYTEST_DISABLE_PLUGIN_AUTOLOAD=1 {pytest}",
        fixed="from workloads.knowledge.lazy.config import KnowledgeConfig",
        fixed_suite=f"env PYTEST_DISABLE_PLUGIN_AUTOLOAD=1 KNOWLEDGE_TWIN=lazy {pytest}",
        forbid="polars",
        budget="20 MB",
        wild_target="altair",
        wild_package="rfc3987_syntax",
    )
    return {"knowledge": knowledge}
