"""Requests to a station: limits, deadlines by workdays, states, rating, what is kept and for how long."""

from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from booking import people, services, workdays
from booking.db import transactions
from booking.errors import RuleViolation
from booking.model import Event, ServiceRequest, Station
from booking.people.data_export import everything_about
from booking.queries import service_requests
from tests.support.lunch_hour import LunchHour, at
from tests.support.together import together

MANAGER_SAYS = "已经修好。"


@pytest.fixture
def lunch(session: Session) -> LunchHour:
    return LunchHour(session)


def ask(lunch: LunchHour, who: str = "周明", text: str = "空调太冷了", when: str = "Mon 12:30") -> ServiceRequest:
    """The person asks `cbd` for something."""
    return services.send_request(lunch.session, lunch.station_id, lunch.people[who], "room", text, at(when))


def refused(lunch: LunchHour, verb: object, *args: object) -> str:
    assert callable(verb)
    with pytest.raises(RuleViolation) as no:
        verb(lunch.session, *args)
    lunch.session.rollback()
    return no.value.reason


def test_deadlines_are_the_next_and_the_fifth_workday_of_the_station(lunch: LunchHour) -> None:
    sent = ask(lunch, when="Fri 12:30")
    friday = date(2026, 11, 27)
    assert (sent.answer_due_on, sent.due_on) == (friday + timedelta(days=3), friday + timedelta(days=7))
    with transactions.transaction(lunch.session) as session:
        workdays.override(session, lunch.station_id, friday + timedelta(days=3), False, None, "停电")
    assert ask(lunch, text="灯坏了", when="Fri 12:31").answer_due_on == friday + timedelta(days=4)


POLICIES = [((2, 3), (2, 3)), ((3, 1), (3, 3)), ((10, 20), (14, 28))]  # workdays, and the days after Monday


@pytest.mark.parametrize(("workdays_", "due"), POLICIES)
def test_the_stations_policy_says_how_many_workdays(
    lunch: LunchHour, workdays_: tuple[int, int], due: tuple[int, int]
) -> None:
    with transactions.transaction(lunch.session) as session:
        numbers = dict(zip(("answer_workdays", "end_workdays"), workdays_, strict=True))
        session.get_one(Station, lunch.station_id).policy = numbers
    sent, monday = ask(lunch, when="Mon 12:30"), date(2026, 11, 23)
    assert ((sent.answer_due_on - monday).days, (sent.due_on - monday).days) == due


def test_the_same_words_within_a_day_are_the_first_request(lunch: LunchHour) -> None:
    first = ask(lunch).id
    assert ask(lunch, text=" 空调太冷 了 ", when="Tue 12:00").id == first
    assert ask(lunch, when="Tue 12:31").id != first
    assert ask(lunch, who="李静").id != first


def test_the_same_words_after_it_ended_are_a_new_request(lunch: LunchHour) -> None:
    withdrawn = ask(lunch).id
    services.withdraw(lunch.session, withdrawn, at("Mon 12:31"))
    solved = ask(lunch, when="Mon 12:40")
    assert (solved.id != withdrawn, solved.state) == (True, "received")
    services.solve(lunch.session, solved.id, MANAGER_SAYS, at("Mon 13:00"), lunch.manager_id)
    third = ask(lunch, when="Mon 13:30").id
    assert third not in (withdrawn, solved.id)
    assert ask(lunch, when="Mon 13:31").id == third


def test_a_person_has_three_open_ones_at_most(lunch: LunchHour) -> None:
    sent = [ask(lunch, text=f"第{n}件") for n in range(3)]
    fourth = (lunch.station_id, lunch.people["周明"], "other", "第四件", at("Mon 12:31"))
    assert refused(lunch, services.send_request, *fourth) == "request_limit"
    services.withdraw(lunch.session, sent[0].id, at("Mon 12:32"))
    assert ask(lunch, text="第四件").state == "received"


def test_pressed_eight_times_at_once_it_is_one_request(lunch: LunchHour, engine: Engine) -> None:
    me = lunch.people["周明"]
    words = ("room", "空调太冷了", at("Mon 12:30"))
    together(engine, 8, lambda session, _: services.send_request(session, lunch.station_id, me, *words))
    lunch.session.rollback()
    assert lunch.session.scalar(select(func.count()).select_from(ServiceRequest)) == 1


def test_different_ones_at_once_do_not_pass_the_limit(lunch: LunchHour, engine: Engine) -> None:
    me, now = lunch.people["周明"], at("Mon 12:30")

    def send(session: Session, n: int) -> str:
        try:
            services.send_request(session, lunch.station_id, me, "room", f"第{n}件", now)
        except RuleViolation as no:
            return no.reason
        return "sent"

    said = together(engine, 8, send)
    assert sorted(said) == ["request_limit"] * 5 + ["sent"] * 3


@pytest.mark.postgresql
def test_without_the_persons_lock_they_pass_the_limit(
    lunch: LunchHour, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control; SQLite has one writer at a time."""
    monkeypatch.setattr(services.requests, "alive", lambda *_: None)
    me, now = lunch.people["周明"], at("Mon 12:30")
    send = services.send_request.inside
    with Session(engine) as one, Session(engine) as other:
        for n in range(2):
            send(one, lunch.station_id, me, "room", f"甲{n}", now)
            send(other, lunch.station_id, me, "room", f"乙{n}", now)
        one.commit(), other.commit()
    assert lunch.session.scalar(select(func.count()).select_from(ServiceRequest)) == 4


def test_solved_here_or_elsewhere_and_then_no_more(lunch: LunchHour) -> None:
    here, there = ask(lunch), ask(lunch, text="电梯太慢")
    manager, then = lunch.manager_id, at("Tue 10:00")
    services.take_up(lunch.session, here.id, "在看", at("Mon 15:00"), manager)
    services.pass_on(lunch.session, there.id, "大厦物业", "WY-7", "转给了物业", then, manager)
    for one in (here, there):
        services.solve(lunch.session, one.id, MANAGER_SAYS, then, manager)
        lunch.session.refresh(one)
        assert refused(lunch, services.solve, one.id, "再办一次", then, manager) == "request_ended"
        assert refused(lunch, services.withdraw, one.id, then) == "request_ended"
    assert (here.state, here.answered_at, here.ended_at) == ("solved", at("Mon 15:00"), then)
    assert (there.state, there.passed_to, there.their_no) == ("solved_elsewhere", "大厦物业", "WY-7")


def test_a_withdrawal_and_an_answer_at_once_leave_one_truth(lunch: LunchHour, engine: Engine) -> None:
    sent_id, manager_id, now = ask(lunch).id, lunch.manager_id, at("Mon 13:00")

    def act(session: Session, n: int) -> str:
        try:
            if n:
                services.withdraw(session, sent_id, now)
            else:
                services.solve(session, sent_id, MANAGER_SAYS, now, manager_id)
        except RuleViolation as no:
            return no.reason
        return "did"

    assert sorted(together(engine, 2, act)) == ["did", "request_ended"]
    lunch.session.rollback()
    kinds = select(Event.kind).where(Event.kind.in_(("request_solved", "request_withdrawn")))
    assert len(lunch.session.scalars(kinds).all()) == 1


RATED: list[tuple[str, datetime, str]] = [
    ("while it is open", at("Mon 13:00"), "request_open"),
    ("too late", at("Tue 10:00") + timedelta(days=14), "rating_late"),
]


@pytest.mark.parametrize(("what", "when", "reason"), RATED, ids=[case[0] for case in RATED])
def test_a_rating_is_refused(lunch: LunchHour, what: str, when: datetime, reason: str) -> None:
    sent = ask(lunch)
    if reason != "request_open":
        services.solve(lunch.session, sent.id, MANAGER_SAYS, at("Tue 10:00"), lunch.manager_id)
    assert refused(lunch, services.rate, sent.id, True, True, when) == reason


def test_a_rating_is_given_once(lunch: LunchHour) -> None:
    sent = ask(lunch)
    services.solve(lunch.session, sent.id, MANAGER_SAYS, at("Tue 10:00"), lunch.manager_id)
    services.rate(lunch.session, sent.id, True, False, at("Tue 11:00"))
    assert refused(lunch, services.rate, sent.id, False, False, at("Tue 11:01")) == "request_rated"


def test_the_headline_adds_up(lunch: LunchHour) -> None:
    station = lunch.session.get_one(Station, lunch.station_id)
    manager = lunch.manager_id
    asked = [(who, f"{who}的第{n}件") for who in ("周明", "李静", "王磊") for n in range(3)]
    sent = [ask(lunch, who, text).id for who, text in asked]
    services.withdraw(lunch.session, sent[0], at("Mon 13:00"))
    for n, when in ((1, "Mon 14:00"), (2, "Tue 23:59"), (3, "Wed 00:01")):
        services.solve(lunch.session, sent[n], MANAGER_SAYS, at(when), manager)
    services.pass_on(lunch.session, sent[4], "物业", "", "转了", at("Mon 15:00"), manager)
    services.solve(lunch.session, sent[4], MANAGER_SAYS, at("Wed 10:00"), manager)
    services.rate(lunch.session, sent[1], True, False, at("Wed 11:00"))
    services.rate(lunch.session, sent[4], False, False, at("Wed 11:00"))
    week = date(2026, 11, 23), date(2026, 11, 29)
    found = service_requests.between(lunch.session, station, *week)
    now = service_requests.totals(found, station, at("Wed 12:00"))
    assert now[:3] == (8, 4, 3)  # received but for the withdrawn one, closed, closed here
    assert (now.answer_due, now.answered_in_time) == (8, 3)  # all were due by Tuesday's end
    assert (now.rated, now.solved, now.satisfied) == (2, 1, 0)
    early = service_requests.totals(found, station, at("Mon 12:40"))
    assert early.answer_due == 4  # those answered since, and no other yet
    assert service_requests.due_by(lunch.session, lunch.station_id, date(2026, 11, 24)) == 4


def test_words_and_person_are_forgotten_after_half_a_year_and_with_the_account(lunch: LunchHour) -> None:
    old, own = ask(lunch), ask(lunch, "李静", "开个窗")
    services.solve(lunch.session, old.id, MANAGER_SAYS, at("Tue 10:00"), lunch.manager_id)
    copy = everything_about(lunch.session, lunch.people["李静"])["requests"]
    assert [(one["text"], one["state"]) for one in copy] == [("开个窗", "received")]
    late = at("Tue 10:00") + services.KEPT_FOR
    assert services.forget_requests(lunch.session, late - timedelta(seconds=1)) == 0
    assert services.forget_requests(lunch.session, late) == 1
    people.delete_account(lunch.session, lunch.people["李静"], at("Wed 09:00"))
    lunch.session.expire_all()
    assert (old.person_id, old.text, old.answer, old.state) == (None, "", "", "solved")
    assert (own.person_id, own.text, own.state) == (None, "", "withdrawn")


def test_a_forgotten_one_leads_to_nobody_in_the_history(lunch: LunchHour) -> None:
    old, own, other = ask(lunch), ask(lunch, "李静", "开个窗"), ask(lunch, "周明", "再开个窗")
    services.solve(lunch.session, old.id, MANAGER_SAYS, at("Tue 10:00"), lunch.manager_id)
    services.rate(lunch.session, old.id, True, True, at("Tue 11:00"))
    services.forget_requests(lunch.session, at("Tue 10:00") + services.KEPT_FOR)
    people.delete_account(lunch.session, lunch.people["李静"], at("Wed 09:00"))
    lunch.session.rollback()
    events = lunch.session.scalars(select(Event).where(Event.kind.startswith("request_")).order_by(Event.id)).all()
    told = [(event.kind, event.details["request"], event.person_id, event.actor_id) for event in events]
    assert sorted(told) == [
        ("request_rated", old.id, None, None),
        ("request_sent", old.id, None, None),
        ("request_sent", own.id, None, None),
        ("request_sent", other.id, lunch.people["周明"], lunch.people["周明"]),
        ("request_solved", old.id, None, lunch.manager_id),
    ]


def test_the_history_has_no_word_of_it(lunch: LunchHour) -> None:
    services.solve(lunch.session, ask(lunch).id, MANAGER_SAYS, at("Tue 10:00"), lunch.manager_id)
    events = lunch.session.scalars(select(Event).where(Event.kind.startswith("request_"))).all()
    assert [event.kind for event in events] == ["request_sent", "request_solved"]
    assert not any("空调" in str(event.details) or MANAGER_SAYS in str(event.details) for event in events)
