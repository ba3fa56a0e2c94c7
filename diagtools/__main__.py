"""``python -m diagtools`` is ``diagtools``."""

import sys

from diagtools.cli import main

sys.exit(main())
