"""Network: verbs on the tree of a city: its nodes, their policy, who oversees them, stations in bulk."""

from booking.network.nodes import NodeDetails, add_node, change_node, join_centre
