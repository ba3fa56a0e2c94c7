"""Which twin is the knowledge base? That of KNOWLEDGE_TWIN: `eager`, unless it says `lazy`.

Raises ValueError for any other. Whoever wants the knowledge base and not one of its twins imports it from here.
"""

import os

__all__ = ["knowledge"]

if os.environ.get("KNOWLEDGE_TWIN", "eager") == "eager":
    import workloads.knowledge.eager as knowledge
elif os.environ["KNOWLEDGE_TWIN"] == "lazy":
    import workloads.knowledge.lazy as knowledge  # type: ignore[no-redef]  # the other twin, with the same names
else:
    raise ValueError(
        f"KNOWLEDGE_TWIN is {os.environ['KNOWLEDGE_TWIN']!r}. Hint: KNOWLEDGE_TWIN=eager or KNOWLEDGE_TWIN=lazy."
    )
