"""Demo station: a place, its people and a past, made by the app's own verbs.

`load` fills an empty database, `refresh` makes sure that today has something to show, whatever day it is. Neither
changes a database with other data.
"""

from booking.demo.loading import PAST_WORKDAYS, NotEmptyError, load
from booking.demo.today import refresh
