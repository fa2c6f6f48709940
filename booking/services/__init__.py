"""Services: what a station does beside its slots. `requests` are what people ask of it, `proofs` show what they attended,
`door_arrivals` are who came without a phone."""

from booking.services.door_arrivals import MOST_NAMES, check_in_named, leave_name, settle
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
