"""Network pages: a city, district or centre: its numbers, policy and people, and stations from a sheet."""

from booking.web.network import node, node_notices, node_people, node_policy, station_imports, transfers, units
from booking.web.network.blueprint import pages
