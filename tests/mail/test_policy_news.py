"""Policy news: the manager's digest says how many rules of the station a policy above has changed since the last one."""

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from booking.db import transactions
from booking.history import record
from tests.support.letter_cast import Letters, monday_and_tuesday, worded, write_digests
from tests.support.lunch_hour import at


@pytest.fixture
def cast(session: Session) -> Letters:
    return monday_and_tuesday(session)


def applied(cast: Letters, clock: str, was: dict[str, int], became: dict[str, int]) -> None:
    with transactions.transaction(cast.session) as session:
        record(session, "node_policy", at(clock), was=was, became=became)
        record(session, "policy_applied", at(clock), station_id=cast.station_id, was=was, became=became)


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("zh_Hans_CN", "上级改了本站的 2 项规则。看看现在的规则："),
        ("en", "2 of the station’s rules were changed from above. See the rules now: "),
    ],
)
def test_the_manager_reads_how_many_rules_were_changed(app: Flask, cast: Letters, language: str, sentence: str) -> None:
    applied(cast, "Mon 10:30", {}, {"grace_minutes": 10})  # told on Monday
    applied(cast, "Mon 15:00", {"grace_minutes": 10}, {"grace_minutes": 10, "free_minutes": 90})
    applied(cast, "09:00", {"free_minutes": 90}, {"free_minutes": 60, "line_minutes": 20})
    cast.do(write_digests, "manager", at("11:00"))
    with app.app_context():
        said = worded(app, cast.session, cast.letter("manager_digest"), at("11:00"), language).text
    assert sentence in said
    assert "/manage/cbd/policy" in said


def test_without_a_change_nothing_is_said(app: Flask, cast: Letters) -> None:
    cast.do(write_digests, "manager", at("11:00"))
    with app.app_context():
        said = worded(app, cast.session, cast.letter("manager_digest"), at("11:00"), "zh_Hans_CN").text
    assert "规则" not in said
