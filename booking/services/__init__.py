"""Services: what a station does beside its slots. `requests` are what people ask of it, `proofs` show what they attended,
`notices` are what it tells them, `ratings` what those who came say of a visit, `wishes` what people would like
(`wish_answers` what managers say to it), and `watching` counts who opened the link of a slot that can be watched online.
`door_arrivals` are who came without a phone.
"""

from booking.services.door_arrivals import MOST_NAMES, check_in_named, leave_name, settle
from booking.services.notices import (
    MOST_NOTICES,
    NOTICES_KEPT,
    NoticeWords,
    change_notice,
    end_notice,
    forget_notices,
    publish_notice,
    today_at,
)
from booking.services.proofs import MOST_PROOFS, end_proof, forget_proofs, issue_proof
from booking.services.ratings import add_line, forget_lines, rate_visit, to_rate
from booking.services.requests import (
    KEPT_FOR,
    MOST_OPEN,
    forget_requests,
    pass_on,
    rate,
    send_request,
    solve,
    take_up,
    withdraw,
)
from booking.services.watching import BROWSER_KEPT, OPENER_KEPT, browser_tag, forget_opens, open_watch
from booking.services.wish_answers import decline_wish, hold_wish, merge_wish, plan_wish, remove_wish
from booking.services.wishes import MOST_WISHES, WISHES_KEPT_FOR, forget_wishes, make_wish, take_back_wish, want_wish
