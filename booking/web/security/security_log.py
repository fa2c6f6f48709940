"""Security log: failed sign-ins and refusals of permission, one line each, for whoever runs the servers.

A line holds ids and fixed words only: nothing that was typed, so it names nobody and cannot be forged.
"""

import logging

log = logging.getLogger(__name__)


def sign_in_failed(how: str, reason: str, person_id: int | None) -> None:
    """A password or a code was wrong."""
    log.warning("sign-in failed: how=%s reason=%s person=%s", how, reason, person_id or "-")


def not_allowed(endpoint: str | None, person_id: int | None, **ids: int) -> None:
    """A person asked for something that exists, without the right to it."""
    about = "".join(f" {name}={number}" for name, number in ids.items())
    log.warning("not allowed: endpoint=%s person=%s%s", endpoint, person_id or "-", about)
