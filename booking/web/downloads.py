"""Downloads: tables as a file that the browser saves."""

from collections.abc import Sequence

from flask import make_response, request
from werkzeug.wrappers import Response

from booking import spreadsheets
from booking.spreadsheets import Table

TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def sent(tables: Sequence[Table], name: str) -> Response:
    """The tables as a file: XLSX with a sheet for each, or CSV of the first."""
    kind = "csv" if request.args.get("form") == "csv" else "xlsx"
    content = spreadsheets.write_csv(tables[0]) if kind == "csv" else spreadsheets.write_xlsx(tables)
    response = make_response(content)
    response.headers["Content-Type"] = TYPES[kind]
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.{kind}"'
    return response
