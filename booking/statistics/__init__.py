"""Statistics of a station: what was held, who came, who did not, and who wanted a seat and got none.

`facts` reads the database, slot by slot, `aggregate` adds up, `recommendations` suggests improvements, `draw_totals` counts
entries and drawn seats. A page, a letter
and an export all take their numbers from here. `station_days` counts days that are over once, for `station_list`, which
shows all stations to an admin; `station_facts` reads what it shows.
"""

from booking.statistics.aggregate import Group, Numbers, Span, Tally, of_station
from booking.statistics.draw_totals import DrawTally, of_draws, total
from booking.statistics.facts import headline
from booking.statistics.recommendations import Hint, suggestions, weekly
from booking.statistics.station_days import count_day, days_to_count, stations_to_count
from booking.statistics.station_list import KEYS, STATES, StationRow, station_list
