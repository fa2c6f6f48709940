"""Results: one true sentence for each action in each state of a booking, by script and by plain form; no dead end."""

import re
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from booking import people
from booking.db import transactions
from booking.mail import context, rendering
from booking.mail.recipient import Dropped
from booking.model import Letter, Person
from tests.support.lunch_hour import LunchHour, at
from tests.support.snapshots import seed_workdays
from tests.support.worker_cast import HTMX, Phone, card_in, words_of

OPEN = "Mon 10:00"


@pytest.fixture
def lunch(session: Session) -> LunchHour:
    with transactions.transaction(session):
        seed_workdays(session)
    return LunchHour(session)


def booked(lunch: LunchHour) -> None:
    lunch.book("周明", OPEN)


def full(lunch: LunchHour) -> None:
    for who in ("李静", "王磊"):
        lunch.book(who, OPEN)


def waits(lunch: LunchHour) -> None:
    full(lunch)
    lunch.book("周明", OPEN)


def late(lunch: LunchHour) -> None:
    lunch.book("周明", "11:30")


def promoted(lunch: LunchHour) -> None:
    waits(lunch)
    lunch.give_up("李静", "11:29")


def came(lunch: LunchHour) -> None:
    booked(lunch)
    lunch.check_in("周明", "11:56")


def lost(lunch: LunchHour) -> None:
    booked(lunch)
    lunch.walk_in("李静", "12:00")
    for clock in ("12:10", "12:15"):
        lunch.tick(clock)


def let_in_late(lunch: LunchHour) -> None:
    lost(lunch)
    lunch.check_in("周明", "12:16")


def gave_up(lunch: LunchHour) -> None:
    booked(lunch)
    lunch.give_up("周明", "Mon 10:30")


def undone(lunch: LunchHour) -> None:
    late(lunch)
    lunch.give_up("周明", "11:31")


def called_off(lunch: LunchHour) -> None:
    booked(lunch)
    lunch.cancel("Mon 11:00")


def withdrawn(lunch: LunchHour) -> None:
    """周明 waited here, and then got a seat at 12:30."""
    waits(lunch)
    lunch.book("周明", "Mon 10:05", lunch.slot("12:30"))


def expired(lunch: LunchHour) -> None:
    waits(lunch)
    lunch.tick("12:10")


def stands_by(lunch: LunchHour) -> None:
    full(lunch)
    lunch.stand_by("周明", "11:56")


# The state at the time of cancelling, the page (`warned`, `undo`), and what the reader is told.
GIVING_UP: dict[str, tuple[Callable[[LunchHour], None], str, dict[str, str], str]] = {
    "a moment ago": (booked, "Mon 10:01", {}, "已撤销，不记爽约"),
    "in the free time": (booked, "Mon 10:03", {}, "已取消，谢谢你把名额让出来"),
    "an undo too late, but free": (booked, "Mon 10:03", {"undo": "1"}, "已取消，谢谢你把名额让出来"),
    "a late booking, a moment ago": (late, "11:32", {}, "已撤销，不记爽约"),
    "a late booking, a moment too late": (late, "11:33", {"undo": "1"}, "已经过了 11:10，现在才取消，算临时取消"),
    "the same, sure": (late, "11:33", {"warned": "1"}, "这次算临时取消。有人补上就不记爽约。"),
    "from a page of the free time": (booked, "11:33", {}, "已经过了 11:10，现在才取消，算临时取消"),
    "promoted late": (promoted, "11:30", {}, "已取消，谢谢你把名额让出来"),
    "a place in line": (waits, "Mon 10:01", {}, "已退出候补"),
    "on standby": (stands_by, "11:57", {}, "已退出候补"),
    "started": (booked, "12:11", {}, "这一场已经开始，不能再取消了。"),
    "started, from an old page": (booked, "12:11", {"warned": "1"}, "这一场已经开始，不能再取消了。"),
    "checked in": (came, "11:57", {}, "你已经签到了，不用再取消。"),
    "released": (lost, "12:16", {}, "开始后没有签到，这个名额已经释放了。"),
    "let in late": (let_in_late, "12:17", {}, "你已经签到了，不用再取消。"),
    "twice": (gave_up, "Mon 10:31", {}, "之前已经取消过了，这次什么也没有改变"),
    "undone twice": (undone, "11:31:10", {"undo": "1"}, "之前已经取消过了，这次什么也没有改变"),
    "called off": (called_off, "Mon 11:01", {}, "这一场已经取消，你的预约也一起取消了。"),
    "withdrawn": (withdrawn, "Mon 10:10", {}, "你约上了和它冲突的另一场，这个候补已经退出了。"),
    "waited in vain": (expired, "12:11", {}, "候补已经结束，没有轮到你。"),
}


@pytest.mark.pairs
@pytest.mark.sqlite
@pytest.mark.parametrize("headers", [HTMX, {}], ids=["by script", "by form"])
@pytest.mark.parametrize("back", ["me", "slot", "day"])
@pytest.mark.parametrize(("state", "clock", "form", "sentence"), GIVING_UP.values(), ids=GIVING_UP)
def test_giving_up_is_answered_by_one_true_sentence(
    app: Flask, lunch: LunchHour, state: Callable[[LunchHour], None], clock: str, form: dict[str, str], sentence: str,
    back: str, headers: dict[str, str],
) -> None:  # fmt: skip
    state(lunch)
    booking, phone = lunch.latest("周明").id, Phone(app, lunch, "周明")
    sent = {"back": back, "warned": "0"} | form
    answer = phone.post(f"/bookings/{booking}/give-up", clock, data=sent, headers=headers)
    assert answer.status_code in ((200, 409) if headers else (200,))
    outcome = re.search(r'<div class="notice[^>]*data-outcome="new".*?</div>', answer.text, re.DOTALL)
    assert outcome
    assert sentence in words_of(answer.text)
    if "现在才取消，算临时取消" in sentence:
        confirm = re.search(
            r'name="warned" value="1">.{0,40}<button class="button danger">仍然取消', answer.text, re.DOTALL
        )
        assert confirm, "a question has the button that answers it"
        assert lunch.state("周明") == "booked"


@pytest.mark.sqlite
@pytest.mark.parametrize("headers", [HTMX, {}], ids=["by script", "by form"])
def test_an_undo_too_late_for_the_place_in_line_asks_first(
    app: Flask, lunch: LunchHour, headers: dict[str, str]
) -> None:
    other = lunch.slot("12:30", 1)
    lunch.book("李静", OPEN, other)
    lunch.book("周明", OPEN, other)
    phone = Phone(app, lunch, "周明")
    phone.book("Mon 10:10")
    way, form = f"/bookings/{lunch.latest('周明').id}/give-up", {"back": "day", "warned": "0", "undo": "1"}
    answer = phone.post(way, "Mon 10:12:01", data=form, headers=headers)
    assert "换掉的候补不会回来" in words_of(answer.text)
    assert 'data-refusal="too_late_to_undo"' in answer.text
    assert "仍然取消" in answer.text
    assert lunch.state("周明") == "booked"
    phone.post(way, "Mon 10:12:05", data=form | {"warned": "1"}, headers=headers)
    assert lunch.state("周明") == "cancelled"


@pytest.mark.sqlite
@pytest.mark.parametrize("headers", [HTMX, {}], ids=["by script", "by form"])
def test_the_button_says_that_it_ends_a_place_in_line_and_the_undo_brings_it_back(
    app: Flask, lunch: LunchHour, headers: dict[str, str]
) -> None:
    other = lunch.slot("12:30", 1)
    lunch.book("李静", OPEN, other)
    lunch.book("周明", OPEN, other)
    phone = Phone(app, lunch, "周明")
    said = "约上就退出 12:30 的候补；两分钟内撤销，位次照旧。"
    before = phone.card("Mon 10:10")
    assert said in before.words
    assert f'aria-describedby="drops-{lunch.slot_id}">预约，退出候补</button>' in before.html
    assert said in words_of(phone.get(f"/slots/{lunch.slot_id}", "Mon 10:10").text)
    stranger = Phone(app, lunch, "王磊").card("Mon 10:10")
    assert "退出" not in stranger.words
    answer = phone.post(f"/slots/{lunch.slot_id}/book", "Mon 10:10", data={"back": "day"}, headers=headers)
    assert "两分钟内撤销，位次照旧" in words_of(answer.text)
    undo = re.search(r'action="(/bookings/\d+/give-up)"', card_in(answer.text, lunch.slot_id).html)
    assert undo
    answer = phone.post(undo[1], "Mon 10:11", data={"back": "day", "warned": "0", "undo": "1"}, headers=headers)
    assert "你回到了 12:30 那一场的候补，位次照旧。" in words_of(answer.text)
    assert (lunch.state("周明"), lunch.state("周明", other)) == ("cancelled", "waiting")
    assert said in card_in(answer.text, lunch.slot_id).words


@pytest.mark.sqlite
def test_two_places_in_line_at_the_same_time_are_named_once(app: Flask, lunch: LunchHour) -> None:
    for other in (lunch.slot("12:30", 1), lunch.slot("12:30", 1)):
        lunch.book("李静" if other % 2 else "王磊", OPEN, other)
        lunch.book("周明", OPEN, other)
    assert "约上就退出 12:30 的候补" in Phone(app, lunch, "周明").card("Mon 10:10").words


# Booking again: an undo is offered only while it would be one.
PRESSES: dict[str, tuple[Callable[[LunchHour], None], str, str, bool]] = {
    "a moment ago": (booked, "Mon 10:01", "这一场你已经约上了", True),
    "a while ago": (booked, "Mon 10:03", "这一场你已经约上了", False),
    "checked in": (came, "11:57", "这一场你已经约上了", False),
    "in line": (waits, "Mon 10:30", "你已经在候补了，排在第 1 位", True),
}


@pytest.mark.parametrize("headers", [HTMX, {}], ids=["by script", "by form"])
@pytest.mark.parametrize(("state", "clock", "sentence", "undo"), PRESSES.values(), ids=PRESSES)
def test_a_second_press_offers_an_undo_only_where_it_is_one(
    app: Flask, lunch: LunchHour, state: Callable[[LunchHour], None], clock: str, sentence: str, undo: bool,
    headers: dict[str, str],
) -> None:  # fmt: skip
    state(lunch)
    phone = Phone(app, lunch, "周明")
    for _again in range(3):  # the cached answer too
        card = card_in(phone.post(f"/slots/{lunch.slot_id}/book", clock, data={"back": "day"}, headers=headers).text,
                       lunch.slot_id)  # fmt: skip
        assert sentence in card.words
        assert ("/give-up" in card.html) is undo


@pytest.mark.sqlite
def test_an_undo_offered_a_moment_ago_is_not_offered_by_the_kept_answer(app: Flask, lunch: LunchHour) -> None:
    booked(lunch)
    phone = Phone(app, lunch, "周明")
    offers = ["/give-up" in phone.press(clock).text for clock in ("Mon 10:01", "Mon 10:01:30", "Mon 10:02:01")]
    assert offers == [True, True, False]


@pytest.mark.sqlite
def test_standing_by_from_the_line_offers_no_undo_that_would_lose_the_place(app: Flask, lunch: LunchHour) -> None:
    waits(lunch)
    way = f"/slots/{lunch.slot_id}/standby"
    mine = Phone(app, lunch, "周明").post(way, "11:56", data={"back": "slot"}, headers=HTMX)
    assert "已排上现场候补" in words_of(mine.text)
    assert 'name="undo"' not in mine.text
    assert 'name="undo"' in Phone(app, lunch, "陈晨").post(way, "11:56", data={"back": "slot"}, headers=HTMX).text


@pytest.mark.sqlite
@pytest.mark.parametrize(
    ("clock", "says"), [("11:32", "刚约上的两分钟里可以撤销"), ("11:33", "现在才取消，算临时取消")]
)
@pytest.mark.parametrize("path", ["/me", "/slots/{}"])
def test_the_consequence_is_said_before_cancelling_and_kept_current(
    app: Flask, lunch: LunchHour, path: str, clock: str, says: str
) -> None:
    late(lunch)
    phone, address = Phone(app, lunch, "周明"), path.format(lunch.slot_id)
    known = HTMX | {"If-None-Match": phone.get(address, "11:31", headers=HTMX).headers["ETag"]}
    assert says in words_of(phone.get(address, clock).text)
    assert phone.get(address, "11:33", headers=known).status_code == 200


@pytest.mark.sqlite
def test_the_english_page_says_it_too(app: Flask, lunch: LunchHour) -> None:
    other = lunch.slot("12:30", 1)
    lunch.book("李静", OPEN, other)
    lunch.book("周明", OPEN, other)
    with transactions.transaction(lunch.session) as session:
        people.speak(session, lunch.people["周明"], "en", at("Mon 08:00"))
    card = Phone(app, lunch, "周明").card("Mon 10:10")
    assert "Booking takes you off the waiting list for 12:30." in card.words
    assert "Book, leave list" in card.words


# The letters


GOING = {
    "booked in the free time": (booked, "confirmed", "请在"),
    "booked late": (late, "confirmed", "来不了的话，也请取消：有人补上名额，就不记爽约。"),
    "promoted late": (promoted, "promoted", "来不了的话，开始前都可以取消，不记爽约。"),
}


@pytest.mark.sqlite
@pytest.mark.parametrize(("state", "kind", "sentence"), GOING.values(), ids=GOING)
def test_the_letter_says_what_giving_up_would_cost(
    app: Flask, lunch: LunchHour, state: Callable[[LunchHour], None], kind: str, sentence: str
) -> None:
    state(lunch)
    whose = Letter.person_id == lunch.people["周明"]
    letter = lunch.session.scalars(select(Letter).where(Letter.kind == kind, whose)).one()
    reader = lunch.session.get_one(Person, lunch.people["周明"])
    with app.app_context():
        said = rendering.render(letter.kind, context.of(lunch.session, letter, reader, at("11:45")), "zh_Hans_CN")
    assert sentence in said.text
    assert sentence in said.page


def forgiven(lunch: LunchHour) -> None:
    with transactions.transaction(lunch.session) as session:
        people.forgive_slot(session, lunch.slot_id, at("12:16"), lunch.manager_id, "电梯坏了")


def came_late(lunch: LunchHour) -> None:
    lunch.check_in("周明", "12:16")


@pytest.mark.sqlite
@pytest.mark.parametrize("mercy", [forgiven, came_late])
def test_no_letter_tells_of_a_strike_that_does_not_count(
    app: Flask, lunch: LunchHour, mercy: Callable[[LunchHour], None]
) -> None:
    lost(lunch)
    mercy(lunch)
    letter = lunch.session.scalars(select(Letter).where(Letter.kind == "strike")).one()
    with app.app_context(), pytest.raises(Dropped):
        rendering.compose(lunch.session, letter, at("12:17"))
