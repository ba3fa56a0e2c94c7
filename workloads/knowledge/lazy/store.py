"""Where are chunks and mentions kept?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from workloads.knowledge.plain.documents import Chunk
from workloads.knowledge.plain.entities import Mention

if TYPE_CHECKING:
    from sqlalchemy import Table


class KnowledgeStore:
    """Which chunks and mentions has which document? In a database, open until `close`."""

    def __init__(self, address: str) -> None:
        from sqlalchemy import Column, Integer, MetaData, String, Table, create_engine

        schema = MetaData()
        self._chunks = Table(
            "chunks", schema, Column("document", String), Column("position", Integer), Column("text", String)
        )
        self._mentions = Table(
            "mentions",
            schema,
            Column("name", String),
            Column("document", String),
            Column("position", Integer),
        )
        self._engine = create_engine(address)
        schema.create_all(self._engine)

    def put(self, document: str, chunks: Sequence[Chunk], mentions: Sequence[Mention]) -> None:
        """What has this document now? What it had before is forgotten."""
        with self._engine.begin() as connection:
            for table, rows in [(self._chunks, chunks), (self._mentions, mentions)]:
                connection.execute(table.delete().where(table.c.document == document))
                values = [{column.name: getattr(row, column.name) for column in table.c} for row in rows]
                if values:
                    connection.execute(table.insert(), values)

    def chunks(self) -> tuple[Chunk, ...]:
        """Which chunks are there in all, by document and position?"""
        return tuple(Chunk(**row) for row in self._rows(self._chunks))

    def mentions(self) -> tuple[Mention, ...]:
        """Which mentions are there in all, by document and position?"""
        return tuple(Mention(**row) for row in self._rows(self._mentions))

    def close(self) -> None:
        """Let go of the database; one in memory is gone then."""
        self._engine.dispose()

    def _rows(self, table: Table) -> list[dict[str, Any]]:
        ordered = table.select().order_by(table.c.document, table.c.position)
        with self._engine.connect() as connection:
            return [dict(row) for row in connection.execute(ordered).mappings()]
