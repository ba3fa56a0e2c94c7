"""``diagtools doctor``: what this machine allows."""

from __future__ import annotations

import argparse
import json

from diagtools.capture.doctor import capabilities


def run(chosen: argparse.Namespace) -> int:
    """Prints one line a capability, or the JSON of the contract; always exits 0."""
    found = capabilities()
    if chosen.json:
        print(json.dumps({"capability": {c.name: {"available": c.available, "why": c.why} for c in found}}))
        return 0
    width = max(len(capability.name) for capability in found)
    for capability in found:
        print(f"{'yes' if capability.available else 'no ':3}  {capability.name:{width}}  {capability.why}")
    return 0
