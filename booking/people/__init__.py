"""People: accounts, sign-ins, codes by mail, roles, forgiven strikes, retention.

A verb takes a session and the instant `now`, and is one transaction (`db/transactions.py`); it raises `RuleViolation`
with a reason code and then changes nothing. Passwords are hashed and checked outside of transactions: `attempt` counts
a try, `fits` checks it, `complete` signs in.

`accounts`, `sign_ins`, `passwords`, `codes`, `second_factor` (`totp`, `recovery_codes`, `second_factor_policy`) and
`login_throttle` are about signing in, `roles`, `invitations` and `door_helpers` about who acts for a station,
`validation` says what is a valid name, phone or address, `suppression` whom mail does not reach, `following` who follows
what, `consent` who agreed to the privacy notice. `deletion`, `anonymise` and `retention` remove data, `data_export` hands
it out.
"""

from booking.people.accounts import (
    admit_guest,
    ask_for_new_address,
    change_address,
    change_password,
    change_profile,
    create,
    disable,
    enable,
    guest,
    known_of,
    register,
    reserve_for_guest,
    reset_password,
    set_password,
    sign_in_after,
    speak,
)
from booking.people.anonymise import forget_entries, forget_names, named, nameless_before
from booking.people.codes import ask_for_code
from booking.people.consent import PRIVACY_VERSION, agree, agreed_version
from booking.people.data_export import everything_about
from booking.people.deletion import delete_account, delete_own_account, live_bookings
from booking.people.door_helpers import door_helper, end_door, grant_door, renew_door, was_ended
from booking.people.feeds import close_feed, feed_of, mail_calendar, open_feed, whose_feed
from booking.people.following import follow, unfollow
from booking.people.forgiveness import forgive, forgive_slot
from booking.people.invitations import (
    INVITATION_LASTS,
    accept_invitation,
    invitation_of,
    invite_manager,
    open_invitations,
    register_invited,
    resend_invitation,
    withdraw_invitation,
)
from booking.people.login_throttle import ask_for_letter, client_network, guess_door_code, guess_draw_code
from booking.people.passwords import check_strength, fits, hash_password
from booking.people.recovery_codes import clean_second_code
from booking.people.retention import forget
from booking.people.roles import appoint, create_manager, dismiss, hold_managers, is_last_manager, was_dismissed
from booking.people.second_factor import (
    SECOND_STEP_TIME,
    finish_sign_in,
    renew_recovery_codes,
    reset_second_factor,
    second_factor_of,
    step_of_app,
    turn_off_second_factor,
    turn_on_second_factor,
)
from booking.people.second_factor_policy import (
    require_second_factor,
    second_factor_coverage,
    second_factor_due,
    second_factor_requirement,
    staff_without_second_factor,
)
from booking.people.sign_ins import (
    RENEWED_UNTIL,
    SIGN_IN_LASTS,
    STAFF_IDLE,
    Attempt,
    PendingSignIn,
    attempt,
    attempt_by_code,
    begin,
    complete,
    end_everybodys_sign_ins,
    end_sign_in,
    end_sign_ins,
    find_sign_in,
    find_sign_in_at,
    fit_to_role,
    hash_token,
    is_staff,
    person_of,
    renew,
    sign_ins,
    was_idle,
    with_code,
)
from booking.people.suppression import prove_address, suppressed
from booking.people.validation import clean_code, clean_company, clean_email, clean_name, clean_phone
