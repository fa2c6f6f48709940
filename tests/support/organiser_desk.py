"""An organiser's browser without a screen; the admin's and a manager's as well. Everything happens on Monday at 9:00."""

import html
from typing import Any

import time_machine
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from booking.db import transactions
from booking.model import Manages, Oversees, Person
from tests.support.cookies import carry, lasting
from tests.support.lunch_hour import LONG_BEFORE, at, make_people
from tests.support.tree_cast import CityTree
from tests.support.worker_cast import words_of

NOW = at("Mon 09:00")


class OrganiserDesk:
    """`name` oversees the node with the code `over`, manages the station `runs`, or is an admin where both are empty."""

    def __init__(
        self, app: Flask, city: CityTree, name: str, over: str = "", *, role: str = "organiser", runs: str = ""
    ) -> None:
        self.client: FlaskClient = app.test_client()
        with transactions.transaction(city.session) as session:
            self.person_id = make_people(session, [name])[name]
            who = session.get_one(Person, self.person_id)
            who.is_admin = not over and not runs
            if over:
                right = {"person_id": who.id, "node_id": city.nodes[over], "role": role}
                session.add(Oversees(**right, since=LONG_BEFORE))
            if runs:
                session.add(Manages(person_id=who.id, station_id=city.stations[runs], since=LONG_BEFORE))
            token = lasting(session, who, "desk", NOW)
        carry(self.client, token, NOW)

    def get(self, path: str) -> TestResponse:
        with time_machine.travel(NOW, tick=False):
            return self.client.get(path)

    def post(self, path: str, *, follow: bool = True, **form: Any) -> TestResponse:
        with time_machine.travel(NOW, tick=False):
            return self.client.post(path, data=form, follow_redirects=follow)

    def words(self, path: str) -> str:
        return said(self.get(path))


def said(answer: TestResponse) -> str:
    """The words of an answer."""
    return words_of(html.unescape(answer.text))
