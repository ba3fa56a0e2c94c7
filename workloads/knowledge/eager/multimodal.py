"""What does a document hold that is not prose? It is the same in both twins: see `plain.multimodal`."""

from workloads.knowledge.plain.multimodal import Figure, FigureKind, find_figures

__all__ = ["Figure", "FigureKind", "find_figures"]
