"""Services: what a station does beside its slots. `requests` are what people ask of it, `proofs` show what they attended,
`ratings` are what those who came say of a visit."""

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
