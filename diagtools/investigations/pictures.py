"""A chart as a picture in a file."""

from __future__ import annotations

from pathlib import Path

import altair as alt

from diagtools.errors import UsageError
from diagtools.present.renderer import draw_png


def draw(chart: alt.TopLevelMixin, picture: Path) -> None:
    """Draws this chart as a PNG.  Raises ``UsageError`` for any other file and where it cannot be written."""
    if picture.suffix.lower() != ".png":
        raise UsageError(
            f"'{picture}' is not the name of a PNG, the only kind of picture there is.",
            hint=f"--png {picture.with_suffix('.png') if picture.name else 'chart.png'}",
        )
    try:
        picture.write_bytes(draw_png(chart.to_dict()))
    except OSError as error:
        raise UsageError(
            f"'{picture}' cannot be written: {error.strerror}.",
            hint="name a file in a folder that takes one.",
        ) from error
