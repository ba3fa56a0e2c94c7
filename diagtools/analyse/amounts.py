"""How is a value of a metric written?  Its name says the unit."""

from __future__ import annotations

from diagtools.units import format_bytes, format_seconds, format_share


def amount(metric: str, value: float) -> str:
    """A value of this metric with its unit: ``412 MiB``, ``1.9 s``, ``35 %``, ``1,271``."""
    sign, size = "−" if value < 0 else "", abs(value)
    if metric.endswith("_bytes"):
        return sign + format_bytes(size)
    if metric.endswith("_s"):
        return sign + (format_seconds(size) if size >= 0.01 or not size else f"{size * 1e3:.3g} ms")
    if metric.endswith("share"):
        return sign + format_share(size)
    return f"{sign}{size:,.4g}"


def plain(metric: str) -> str:
    """What is the metric called in a sentence?  ``peak RSS`` for ``peak_rss_bytes``."""
    kind, _, of = metric.partition(":")
    if of:
        name = of.removesuffix("_bytes").removesuffix("_s")
        return f"memory kept by {name!r}" if kind == "kept" else f"{name!r}"
    name = metric.removesuffix("_bytes").removesuffix("_s")
    words = name.replace("_", " ")
    return " ".join(word.upper() if word in _SHORT else word for word in words.split(" "))


_SHORT = ("rss", "pss", "uss", "cpu")
