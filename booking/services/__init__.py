"""Services: what a station does beside its slots. `requests` are what people ask of it, `proofs` show what they attended,
`notices` are what it tells them."""

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
