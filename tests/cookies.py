"""Browsers that are signed in already."""

from datetime import datetime

import time_machine
from flask.testing import FlaskClient


def carry(client: FlaskClient, token: str, since: datetime) -> FlaskClient:
    """Give the browser the cookie of a sign-in made at `since`: one from the future of a test's clock would not count."""
    with time_machine.travel(since, tick=False), client.session_transaction() as kept:
        kept["_user_id"] = token
    return client
