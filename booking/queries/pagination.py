"""Pagination: one page of a long list, by a page number that a reader may have typed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

PER_PAGE = 50


@dataclass(frozen=True)
class ResultPage:
    """One page; `number` counts from 1."""

    items: Sequence[Any]
    number: int
    pages: int
    total: int


def place(total: int, wanted: int, size: int = PER_PAGE) -> tuple[int, int, int]:
    """The number of the page to show, how many there are, and the index of its first item; the nearest page to `wanted`."""
    pages = max(1, -(-total // size))
    number = min(max(1, wanted), pages)
    return number, pages, (number - 1) * size


def result_page(session: Session, found: Select[Any], wanted: int) -> ResultPage:
    """One page of an ordered query."""
    total = session.scalar(select(func.count()).select_from(found.order_by(None).options().subquery())) or 0
    number, pages, first = place(total, wanted)
    return ResultPage(session.scalars(found.limit(PER_PAGE).offset(first)).all(), number, pages, total)
