"""Arrays as parameters: what is given as JSON is read once, however many rows there are."""

import pytest
from sqlalchemy import Engine
from sqlalchemy.dialects import sqlite

from booking.db.arrays import update_rows
from booking.model import DrawEntry


@pytest.mark.sqlite
def test_the_rows_of_an_update_are_read_once(engine: Engine) -> None:
    update = update_rows(DrawEntry, ("no", "balls")).compile(dialect=sqlite.dialect())
    with engine.connect() as connection:
        filled = tuple("[]" for _name in update.positiontup or ())
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {update}", filled).all()
    assert "MATERIALIZE given" in {row[3] for row in plan}
