"""Network pages: a city, district or centre: its numbers, policy and people."""

from booking.web.network import node, node_people, node_policy, transfers, units
from booking.web.network.blueprint import pages
