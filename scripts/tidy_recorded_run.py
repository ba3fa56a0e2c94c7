"""Takes out of a recorded run what tells of the machine it was made on, and nothing that was measured.

python scripts/tidy_recorded_run.py data/runs/incident-killed
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

_OF_THE_MACHINE = {"cwd": ".", "env": {}, "git": {}}


def tidy(folder: Path) -> None:
    """Rewrites ``run.json`` without folder, environment and revision, and without artefacts that were removed."""
    path = folder / "run.json"
    manifest = {**json.loads(path.read_text(encoding="ascii")), **_OF_THE_MACHINE}
    manifest["platform"].pop("release", None)
    manifest["artefacts"] = {
        name: known for name, known in manifest["artefacts"].items() if (folder / name).exists()
    }
    path.write_text(json.dumps(manifest, indent=1) + "\n", encoding="ascii")


if __name__ == "__main__":
    tidy(Path(sys.argv[1]))
