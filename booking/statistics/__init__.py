"""Statistics of a station: what was held, who came, who did not, and who wanted a seat and got none.

`facts` reads the database, slot by slot, `aggregate` adds up, `recommendations` suggests improvements, `draw_totals` counts
entries and drawn seats. A page, a letter and an export all take their numbers from here.

Many stations at once: `station_days` counts days that are over for good; `station_rows` says of each station what is known
and what is wrong (`station_facts` reads it), for `station_list`, where an admin lands, and for `node_numbers`, which adds
up the days of the stations below a city, district or centre (`node_tally`), and their requests (`request_tally`).
"""

from booking.statistics.aggregate import Group, Numbers, Span, Tally, of_station
from booking.statistics.draw_totals import DrawTally, of_draws, total
from booking.statistics.facts import headline
from booking.statistics.node_numbers import (
    NODE_KEYS,
    NodeChoice,
    NodeNumbers,
    NodePart,
    days_of_station,
    node_numbers,
    total_of,
)
from booking.statistics.node_tally import NodeTally
from booking.statistics.recommendations import Hint, suggestions, weekly
from booking.statistics.request_tally import NO_REQUESTS, RequestTally, request_tallies
from booking.statistics.station_days import count_day, days_to_count, stations_to_count
from booking.statistics.station_list import KEYS, STATES, station_list
from booking.statistics.station_rows import StationRow, station_rows
