"""Network pages: a city, district or centre: its numbers, policy and people."""

from booking.web.network import node, node_people, transfers
from booking.web.network.blueprint import pages
