"""Which documents refer to which? It is the same in both twins: see `plain.links`."""

from workloads.knowledge.plain.links import Link, broken, find_links

__all__ = ["Link", "broken", "find_links"]
