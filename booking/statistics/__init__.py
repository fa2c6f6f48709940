"""Statistics of a station: what was held, who came, who did not, and who wanted a seat and got none.

`facts` reads the database, slot by slot, `aggregate` adds up, `recommendations` suggests improvements. A page, a letter
and an export all take their numbers from here.
"""

from booking.statistics.aggregate import Group, Numbers, Span, Tally, of_station
from booking.statistics.facts import headline
from booking.statistics.recommendations import Hint, suggestions, weekly
