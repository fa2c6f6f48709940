"""Privacy notice: what is stored of a person, what for, for how long, and who sees it."""

from datetime import timedelta

from flask import Blueprint, render_template

from booking import people, services
from booking.mail import outbox
from booking.people import anonymise, codes, retention
from booking.web.kiosk import pairing
from booking.web.security import pending_booking

pages = Blueprint("privacy", __name__)

# As the code has them: a promise that is not kept in the code would be a lie.
DAYS: dict[str, timedelta] = {
    "code": retention.CODES,
    "letter": outbox.FORGET_AFTER,
    "bounce": retention.BOUNCES,
    "try": retention.TRIES,
    "sign_in": people.SIGN_IN_LASTS,
    "ended_sign_in": retention.SIGN_INS,
    "invitation": retention.INVITATIONS,
    "name": anonymise.KEPT_FOR,
    "request": services.KEPT_FOR,
    "opener": services.OPENER_KEPT,
    "browser": services.BROWSER_KEPT,
    "wish": services.WISHES_KEPT_FOR,
}
MINUTES: dict[str, timedelta] = {
    "code": codes.GOOD_FOR,
    "scan": pairing.SIGN_IN_TIME,
    "press": pending_booking.LASTS,
}


@pages.get("/privacy")
def notice() -> str:
    return render_template(
        "privacy.html",
        days={name: time.days for name, time in DAYS.items()},
        minutes={name: int(time.total_seconds()) // 60 for name, time in MINUTES.items()},
        idle_hours=int(people.STAFF_IDLE.total_seconds()) // 3600,
        version=people.PRIVACY_VERSION,
    )
