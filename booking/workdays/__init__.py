"""Workdays: which dates slots run on, as data in the database.

`lookup` answers for one station, `statutory` knows the legal holidays, `seeding` fills the table from libraries,
`holiday_file` reads a new notice (`slots.holiday_import` imports it).
"""

from booking.workdays.holiday_file import HolidayNotice
from booking.workdays.lookup import (
    AHEAD,
    LOOK_AHEAD,
    ONE_DAY,
    Calendar,
    DateRow,
    Day,
    announced_years,
    clear_override,
    ends_soon,
    known_until,
    load,
    load_each,
    override,
    read,
    sources,
)
from booking.workdays.seeding import seed
