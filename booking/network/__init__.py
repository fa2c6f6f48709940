"""Network: verbs on the tree of a city: its nodes, their policy, who oversees them, stations in bulk."""

from booking.network.nodes import NodeDetails, add_node, change_node, join_centre
from booking.network.overseers import appoint_overseer, end_overseer
from booking.network.transfers import (
    RefusedTransfers,
    TransferWish,
    carry_out,
    due_transfers,
    plan_transfers,
    withdraw_transfer,
)
