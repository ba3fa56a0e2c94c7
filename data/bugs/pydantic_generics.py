"""pydantic 1.9.0: answers to queries, each a page of rows whose class is made for that query."""

from typing import Generic, TypeVar

from pydantic import create_model
from pydantic.generics import GenericModel

from diagtools import mark

QUERIES = 60

Row = TypeVar("Row")


class Page(GenericModel, Generic[Row]):
    """Some rows of a table."""

    rows: list[Row]


def answer(number: int) -> None:
    """One page; nobody keeps it, nor the class of its rows."""
    row = create_model(f"Row{number}", name=(str, ...))
    Page[row](rows=[row(name="first")])


mark.phase("queries")
for number in range(QUERIES):
    answer(number)
