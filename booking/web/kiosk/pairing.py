"""Kiosk pairing: the cookie that makes a browser a station's kiosk, and the rotating code (TOTP) that it shows.

The cookie names the station and a fingerprint of its secret, so a new secret unpairs every kiosk.
"""

import base64
import hashlib
import hmac
import secrets
from datetime import datetime, timedelta
from typing import Any

import pyotp
from flask import Response, current_app, request
from itsdangerous import BadSignature, URLSafeSerializer

from booking import people
from booking.errors import RuleViolation
from booking.model import Station

STEP = 30  # seconds that a code is shown; the previous one is valid too, for slow typing
A_YEAR = 365 * 24 * 3600
SIGN_IN_TIME = timedelta(minutes=10)
ANSWER_TIME = 20  # seconds that the kiosk shows what became of a scan


def pair(response: Response, station: Station) -> None:
    """Make the browser that gets this answer a kiosk of the station."""
    _keep(response, _name("door"), _signer("door screen").dumps(_claim(station)), A_YEAR)


def unpair(response: Response) -> None:
    _keep(response, _name("door"), "", 0)


def is_paired(station: Station) -> bool:
    """Whether this browser is a kiosk of that station."""
    try:
        claim: object = _signer("door screen").loads(request.cookies.get(_name("door"), ""))
    except BadSignature:
        return False
    return claim == _claim(station)


def code_at(station: Station, now: datetime) -> str:
    """The six digits that the kiosk shows at `now`."""
    return _codes(station).at(now)


def seconds_left(now: datetime) -> int:
    """How many seconds the code of `now` is still shown."""
    return STEP - int(now.timestamp()) % STEP


def is_fresh(station: Station, code: str, now: datetime) -> bool:
    """Whether the kiosk shows this code, or showed it just before."""
    try:
        typed = people.clean_code(code)
    except RuleViolation:
        return False
    lately = (now, now - timedelta(seconds=STEP))
    return any(hmac.compare_digest(typed.encode(), code_at(station, then).encode()) for then in lately)


def remember_scan(response: Response, station: Station, now: datetime) -> None:
    """Remember a fresh scan while the person signs in, registers or chooses: by then the code has expired, this browser's
    cookie has not.

    The cookie is for one station, secret and browser, and its nonce admits one person (`checkin_sync.arrive`).
    """
    claim = [*_claim(station), int(now.timestamp()), _browser(), secrets.token_urlsafe(16)]
    _keep(response, _name("scan"), _signer("door scan").dumps(claim), int(SIGN_IN_TIME.total_seconds()))


def scan_of(station: Station, now: datetime) -> str:
    """The nonce of the scan that this browser remembers, while it is valid; else empty."""
    try:
        *claim, at, browser, nonce = _signer("door scan").loads(request.cookies.get(_name("scan"), ""))
    except (BadSignature, TypeError, ValueError):
        return ""
    is_here = claim == _claim(station) and browser == _browser()
    return str(nonce) if is_here and 0 <= now.timestamp() - at <= SIGN_IN_TIME.total_seconds() else ""


def forget_scan(response: Response) -> None:
    _keep(response, _name("scan"), "", 0)


def keep_answer(response: Response, station: Station, answer: dict[str, Any], now: datetime) -> None:
    """Hand an answer over to the page that shows it once: nothing of it is in an address, and Back does not find it."""
    told = [*_claim(station), int(now.timestamp()), answer]
    _keep(response, _name("said"), _signer("door answer").dumps(told), ANSWER_TIME)


def answer_of(station: Station, now: datetime) -> dict[str, Any] | None:
    """The answer that this kiosk has still to show."""
    try:
        *claim, at, answer = _signer("door answer").loads(request.cookies.get(_name("said"), ""))
    except (BadSignature, TypeError, ValueError):
        return None
    return answer if claim == _claim(station) and 0 <= now.timestamp() - at <= ANSWER_TIME else None


def forget_answer(response: Response) -> None:
    _keep(response, _name("said"), "", 0)


def turn_page(response: Response) -> None:
    """Change a cookie: of the pages that Chromium keeps for Back, `no-store` or not, it drops those older than that."""
    _keep(response, _name("page"), secrets.token_hex(4), A_YEAR)


def _browser() -> str:
    """A hash of the User-Agent header: a weak check, but free."""
    return hashlib.sha256(request.user_agent.string.encode()).hexdigest()[:16]


def _codes(station: Station) -> pyotp.TOTP:
    return pyotp.TOTP(base64.b32encode(bytes.fromhex(station.door_secret)).decode(), interval=STEP)


def _claim(station: Station) -> list[str]:
    return [station.code, hashlib.sha256(station.door_secret.encode()).hexdigest()[:16]]


def _keep(response: Response, name: str, value: str, seconds: int) -> None:
    secure = current_app.config["SESSION_COOKIE_SECURE"]
    response.set_cookie(name, value, max_age=seconds, secure=secure, httponly=True, samesite="Lax")


def _signer(salt: str) -> URLSafeSerializer:
    return URLSafeSerializer(current_app.config["SECRET_KEY"], salt=salt)


def _name(what: str) -> str:
    return f"__Host-{what}" if current_app.config["SESSION_COOKIE_SECURE"] else what
