"""Network: verbs on the tree of a city: its nodes, their policy, who oversees them, stations in bulk."""

from booking.network.applying import apply_policy, stations_due
from booking.network.closing import close_node, open_stations, reopen_node
from booking.network.node_policy import NodePolicy, inherited_lines, preview_policy, set_node_policy
from booking.network.nodes import NodeDetails, add_node, change_node, join_centre, level_below, move_node
from booking.network.overseers import appoint_overseer, end_overseer, was_overseer
from booking.network.policy_preview import Keeping, PolicyPreview
from booking.network.station_import import (
    confirm_import,
    discard_import,
    draft_import,
    forget_imports,
    import_chunk,
    imports_of,
    preview_import,
    refusal_of,
    rows_of,
)
from booking.network.station_row import MOST_STATIONS, SheetRow, read_datum, read_managers, read_zones
from booking.network.station_sheet import NearPair, SheetPreview, StationChange, WrongCell, managers_of, preview
from booking.network.transfers import (
    RefusedTransfers,
    TransferWish,
    carry_out,
    due_transfers,
    plan_transfers,
    withdraw_transfer,
)
