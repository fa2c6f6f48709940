"""Worker pages: a station's days, one slot, search and month, booking and cancelling, and one's own bookings."""

from booking.web.worker import (
    acts,
    after_sign_in,
    attendance_proof,
    calendar,
    day,
    draw_partners,
    draw_proof,
    draw_value,
    following,
    mine,
    month,
    my_history,
    notice_board,
    offline,
    pictures,
    request_window,
    search,
    slot,
    station_list,
    visit_rating,
    watch_page,
    wish_board,
)
from booking.web.worker.blueprint import pages
