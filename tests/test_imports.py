"""What importing us costs: ``import diagtools`` and the commands that start a target at once load nothing heavy."""

from __future__ import annotations

import subprocess
import sys

import pytest

import diagtools

OUTSIDERS = "sorted({m.partition('.')[0] for m in sys.modules} - set(sys.stdlib_module_names) - before)"


def _loaded(code: str) -> str:
    """Which third-party packages does this code load that the bare interpreter had not?"""
    script = (
        "import sys; before = {m.partition('.')[0] for m in sys.modules}\n"
        f"{code}\nprint(*[m for m in {OUTSIDERS} if m != 'diagtools'])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()[-1]


@pytest.mark.parametrize(
    "code",
    [
        "import diagtools",
        "import diagtools.mark",
        "from diagtools import Target, Limit, Budget, limited",
        "import diagtools.cli.record",
        "from diagtools.cli import main\ntry:\n    main(['--help'])\nexcept SystemExit:\n    pass",
        "from diagtools.cli import main\nmain(['doctor'])",
        (
            "import tempfile\nfrom diagtools.cli import main\n"
            f"main(['record', '-o', tempfile.mkdtemp(), '--', {sys.executable!r}, '-c', 'pass'])"
        ),
    ],
)
def test_no_third_party_package_is_loaded(code: str) -> None:
    """The design's sixth rule."""
    assert _loaded(code) == ""


def test_every_public_name_is_there() -> None:
    """Each lazily attached name exists, is listed, and nothing else is offered."""
    for name in diagtools.__all__:
        assert getattr(diagtools, name) is not None
        assert name in dir(diagtools)
    with pytest.raises(AttributeError, match="no attribute 'nope'"):
        _ = diagtools.nope  # type: ignore[attr-defined]  # that is the point
