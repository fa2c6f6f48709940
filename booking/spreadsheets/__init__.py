"""Spreadsheets: exported tables, the sheets of an uploaded file, and where in a sheet the table is that was meant.

`writing` makes XLSX and CSV; `reading` takes XLSX, ODS, XLS and CSV; `layout` finds the heads and what is under them.
"""

from booking.spreadsheets.layout import Layout, Remark, in_words, lay_out
from booking.spreadsheets.reading import read
from booking.spreadsheets.sheet import MOST_ROWS, Sheet
from booking.spreadsheets.writing import Cell, Rate, Table, plain_csv, write_csv, write_xlsx

__all__ = [
    "MOST_ROWS",
    "Cell",
    "Layout",
    "Rate",
    "Remark",
    "Sheet",
    "Table",
    "in_words",
    "lay_out",
    "plain_csv",
    "read",
    "write_csv",
    "write_xlsx",
]
