"""Browsers that are signed in already."""

from datetime import datetime

import time_machine
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from booking import people
from booking.model import Person, SignIn


def carry(client: FlaskClient, token: str, since: datetime) -> FlaskClient:
    """Give the browser the cookie of a sign-in made at `since`: one from the future of a test's clock would not count."""
    with time_machine.travel(since, tick=False), client.session_transaction() as kept:
        kept["_user_id"] = token
    return client


def lasting(session: Session, person: Person, agent: str, since: datetime) -> str:
    """The token of a sign-in that no idle night ends, for a cast whose clock jumps."""
    token = people.begin(session, person, agent, since)
    row = session.scalars(select(SignIn).where(SignIn.token_hash == people.hash_token(token))).one()
    row.expires_at = row.created_at + people.SIGN_IN_LASTS
    return token
