"""How shall one knowledge base be made, and how much does it answer?"""

from dataclasses import dataclass

IN_MEMORY = "sqlite://"


@dataclass(frozen=True, slots=True, kw_only=True)
class KnowledgeConfig:
    """Which bounds does a knowledge base keep?

    `chunk_characters` is the longest chunk, `n_hits` the most chunks an answer has, `vector_width` the length of
    a chunk's vector, `database` the address of a database as SQLAlchemy writes it. Raises ValueError for a
    number below 1.
    """

    chunk_characters: int = 800
    n_hits: int = 5
    vector_width: int = 64
    database: str = IN_MEMORY

    def __post_init__(self) -> None:
        for name in ["chunk_characters", "n_hits", "vector_width"]:
            value = getattr(self, name)
            if value < 1:
                raise ValueError(f"{name} is {value}. Hint: pass 1 or more.")
