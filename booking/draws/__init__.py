"""Draws: seats given by lot, so that nobody has to be fast: entered, sealed, drawn, and open to everybody's check.

In the order of use: `planning` puts slots into draws, `chain` commits each draw to its secret, `entries` is what people
do (`entering` for all who enter at one moment), two together by `partners`, `freeze` seals the `entry_list` with
everybody's `balls`, `allocate` draws it: each `drawing` decides by `order`, the pure function, and `outcome` writes it;
`letters` tells the result, and `proof` is what is published of it. `public_value` is the number that people may
type for it.
"""

from booking.draws.allocate import draw, to_draw
from booking.draws.chain import begin_anew, commit, to_commit
from booking.draws.entering import Entered
from booking.draws.entering import press as press_entry
from booking.draws.entries import change_wishes, enter, hold_draw, leave, open_draws_of
from booking.draws.freeze import freeze, to_freeze
from booking.draws.partners import invite, is_invited, join
from booking.draws.planning import (
    SEALED_FOR,
    HasResult,
    PublicValue,
    Terms,
    closing,
    draw_for,
    draw_of_one_off,
    entered,
    latest_value,
    missed_by,
    opened,
    opens_slots,
    result_at,
    share,
    under_way,
    value_from,
    value_of,
)
from booking.draws.public_value import type_value
