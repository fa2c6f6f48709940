"""Wishes at a station: one vote each, joining, limits, answers, merging, what is kept and for how long."""

from collections.abc import Callable
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from booking import people, services
from booking.errors import RuleViolation
from booking.model import ActivityWish, Event, Slot, Station, WishVote
from booking.people.data_export import everything_about
from booking.queries import wish_list
from tests.support.lunch_hour import LunchHour, at
from tests.support.together import together


@pytest.fixture
def lunch(session: Session) -> LunchHour:
    return LunchHour(session)


def wish(
    lunch: LunchHour, who: str = "周明", text: str = "想学陶艺", when: str = "Mon 12:30", day: int | None = None
) -> ActivityWish:
    return services.make_wish(lunch.session, lunch.station_id, lunch.people[who], text, "crafts", day, at(when))


def want(lunch: LunchHour, one: ActivityWish, *names: str, when: str = "Mon 13:00") -> None:
    for who in names:
        services.want_wish(lunch.session, one.id, lunch.people[who], at(when))


def refused(lunch: LunchHour, verb: Callable[..., Any], *args: object) -> str:
    with pytest.raises(RuleViolation) as no:
        verb(lunch.session, *args)
    lunch.session.rollback()
    return no.value.reason


def how_many(lunch: LunchHour, one: ActivityWish) -> int:
    lunch.session.rollback()
    return wish_list.people_of(lunch.session, one.id)


def test_each_person_counts_once_and_can_take_it_back(lunch: LunchHour) -> None:
    one = wish(lunch)
    want(lunch, one, "周明", "李静", "李静", "王磊")
    assert how_many(lunch, one) == 3
    back = (one.id, lunch.people["李静"], at("Mon 13:10"))
    assert [services.take_back_wish(lunch.session, *back) for _ in range(2)] == [False, False]
    assert how_many(lunch, one) == 2


def test_the_same_words_are_the_same_wish(lunch: LunchHour) -> None:
    one = wish(lunch, text="想学 ＡＩ 绘画")
    assert wish(lunch, "李静", "想学ai绘画").id == one.id
    assert wish(lunch, "李静", " 想学AI 绘画").id == one.id
    assert how_many(lunch, one) == 2
    west = lunch.other_station()
    there = services.make_wish(lunch.session, west, lunch.people["李静"], "想学ai绘画", "art", 2, at("Mon 12:31"))
    assert there.id != one.id


def test_the_words_of_a_merged_wish_lead_to_where_it_went(lunch: LunchHour) -> None:
    one, other = wish(lunch), wish(lunch, "李静", "陶艺课")
    services.merge_wish(lunch.session, one.id, other.id, at("Mon 14:00"), lunch.manager_id)
    assert wish(lunch, "王磊", "想学陶艺").id == other.id
    want(lunch, one, "陈晨")
    assert how_many(lunch, other) == 4


def test_a_person_has_three_open_ones_at_a_station(lunch: LunchHour) -> None:
    first, *_ = [wish(lunch, text=f"第{n}个") for n in range(3)]
    again = (lunch.station_id, lunch.people["周明"], "第四个", "art", None, at("Mon 12:31"))
    assert refused(lunch, services.make_wish, *again) == "wish_limit"
    west = lunch.other_station()
    services.make_wish(lunch.session, west, lunch.people["周明"], "第四个", "art", None, at("Mon 12:31"))
    services.take_back_wish(lunch.session, first.id, lunch.people["周明"], at("Mon 12:32"))
    assert services.make_wish(lunch.session, *again).state == "open"


def test_pressed_eight_times_at_once_it_counts_once(lunch: LunchHour, engine: Engine) -> None:
    one_id, me, now = wish(lunch, "李静").id, lunch.people["周明"], at("Mon 13:00")
    together(engine, 8, lambda session, _: services.want_wish(session, one_id, me, now))
    lunch.session.rollback()
    assert wish_list.people_of(lunch.session, one_id) == 2


@pytest.mark.postgresql
def test_without_the_locks_the_second_press_breaks(
    lunch: LunchHour, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control; SQLite has one writer at a time."""
    one_id, me, now = wish(lunch, "李静").id, lunch.people["周明"], at("Mon 13:00")
    monkeypatch.setattr(services.wishes, "alive", lambda *_: None)
    monkeypatch.setattr(services.wishes, "locked", lambda session, key: session.get_one(ActivityWish, key))
    lunch.session.rollback()
    with Session(engine) as one, Session(engine) as other:
        for session in (one, other):
            services.want_wish.inside(session, one_id, me, now)
        one.commit()
        with pytest.raises(IntegrityError):
            other.commit()


def test_eight_people_with_the_same_words_at_once_make_one_wish(lunch: LunchHour, engine: Engine) -> None:
    everybody, now = list(lunch.people.values()), at("Mon 12:30")
    same = ("想学陶艺", "crafts", None, now)
    together(engine, 8, lambda session, n: services.make_wish(session, lunch.station_id, everybody[n], *same))
    lunch.session.rollback()
    (row,) = wish_list.wanted(lunch.session, lunch.station_id)
    assert row.people == 8


@pytest.mark.postgresql
def test_without_the_stations_lock_they_collide(
    lunch: LunchHour, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control: both look before either writes; the index is the last wall."""
    both, look = Barrier(2), services.wishes._same

    def looked(*about: Any) -> ActivityWish | None:
        found = look(*about)
        both.wait(30)
        return found

    monkeypatch.setattr(services.wishes.transactions, "advisory_lock", lambda *_: None)
    monkeypatch.setattr(services.wishes, "_same", looked)
    everybody, same = list(lunch.people.values()), ("想学陶艺", "crafts", None, at("Mon 12:30"))
    with pytest.raises(IntegrityError):
        together(engine, 2, lambda session, n: services.make_wish(session, lunch.station_id, everybody[n], *same))


def test_different_ones_at_once_do_not_pass_the_limit(lunch: LunchHour, engine: Engine) -> None:
    me, now = lunch.people["周明"], at("Mon 12:30")

    def make(session: Session, n: int) -> str:
        return services.make_wish(session, lunch.station_id, me, f"第{n}个", "art", None, now).state

    assert sorted(together(engine, 8, make)) == ["no: wish_limit"] * 5 + ["open"] * 3


def test_nobody_else_wants_it_so_it_goes_with_its_words(lunch: LunchHour) -> None:
    one = wish(lunch)
    assert services.take_back_wish(lunch.session, one.id, lunch.people["周明"], at("Mon 12:40"))
    lunch.session.refresh(one)
    assert (one.state, one.text, one.text_key, one.person_id) == ("withdrawn", "", "", None)
    assert refused(lunch, services.want_wish, one.id, lunch.people["李静"], at("Mon 12:41")) == "wish_ended"


def test_somebody_else_wants_it_so_it_stays(lunch: LunchHour) -> None:
    one = wish(lunch)
    want(lunch, one, "李静")
    assert not services.take_back_wish(lunch.session, one.id, lunch.people["周明"], at("Mon 13:10"))
    lunch.session.refresh(one)
    assert (one.state, one.text, one.person_id) == ("open", "想学陶艺", None)
    assert how_many(lunch, one) == 1


def test_a_merge_counts_each_person_once(lunch: LunchHour) -> None:
    one, other, third = wish(lunch), wish(lunch, "李静", "陶艺课"), wish(lunch, "刘洋", "捏泥巴")
    want(lunch, one, "王磊", "陈晨")
    want(lunch, other, "王磊", "赵敏")
    services.merge_wish(lunch.session, one.id, other.id, at("Mon 14:00"), lunch.manager_id)
    assert [how_many(lunch, each) for each in (one, other)] == [0, 5]
    services.merge_wish(lunch.session, other.id, third.id, at("Mon 14:01"), lunch.manager_id)
    lunch.session.refresh(one)
    assert (one.merged_into, how_many(lunch, third)) == (third.id, 6)


def test_what_cannot_be_merged(lunch: LunchHour) -> None:
    one, gone, kept = wish(lunch), wish(lunch, "李静", "陶艺课"), wish(lunch, "刘洋", "捏泥巴")
    west = lunch.other_station()
    there = services.make_wish(lunch.session, west, lunch.people["赵敏"], "陶艺", "art", None, at("Mon 12:31"))
    late = (at("Mon 14:00"), lunch.manager_id)
    services.merge_wish(lunch.session, gone.id, kept.id, *late)
    assert refused(lunch, services.merge_wish, one.id, one.id, *late) == "wish_itself"
    assert refused(lunch, services.merge_wish, one.id, gone.id, *late) == "wish_merge"
    assert refused(lunch, services.merge_wish, one.id, there.id, *late) == "wish_merge"
    assert refused(lunch, services.merge_wish, gone.id, one.id, *late) == "wish_ended"


def test_a_vote_and_a_merge_at_once_lose_nobody(lunch: LunchHour, engine: Engine) -> None:
    one_id, other_id = wish(lunch).id, wish(lunch, "李静", "陶艺课").id
    names, now = ["王磊", "陈晨", "刘洋"], at("Mon 13:00")

    def act(session: Session, n: int) -> None:
        if n == len(names):
            services.merge_wish(session, one_id, other_id, now, lunch.manager_id)
        else:
            services.want_wish(session, one_id, lunch.people[names[n]], now)

    together(engine, 4, act)
    lunch.session.rollback()
    assert wish_list.people_of(lunch.session, other_id) == 5
    assert lunch.session.scalar(select(func.count()).where(WishVote.wish_id == one_id)) == 0


def test_the_station_answers_and_may_think_again(lunch: LunchHour) -> None:
    one, now = wish(lunch), at("Mon 15:00")
    services.decline_wish(lunch.session, one.id, "没有窑", now, lunch.manager_id)
    assert refused(lunch, services.want_wish, one.id, lunch.people["李静"], now) == "wish_ended"
    services.plan_wish(lunch.session, one.id, "借到了", now, lunch.manager_id)
    want(lunch, one, "李静", when="Mon 15:10")
    services.hold_wish(lunch.session, one.id, lunch.slot_id, "", now, lunch.manager_id)
    lunch.session.refresh(one)
    assert (one.state, one.slot_id, one.answer, one.ended_at) == ("held", lunch.slot_id, "", now)
    assert refused(lunch, services.decline_wish, one.id, "", now, lunch.manager_id) == "reason_missing"
    services.remove_wish(lunch.session, one.id, "有人名", now, lunch.manager_id)
    assert refused(lunch, services.plan_wish, one.id, "", now, lunch.manager_id) == "wish_ended"


def test_it_takes_place_in_a_slot_of_the_same_station_only(lunch: LunchHour) -> None:
    one, west = wish(lunch), lunch.other_station()
    theirs, own = lunch.slot(station_id=west), lunch.slot("12:20")
    lunch.session.get_one(Slot, own).state = "cancelled"
    lunch.session.commit()
    for slot_id in (theirs, own, 10**9):
        told = (one.id, slot_id, "", at("Mon 15:00"), lunch.manager_id)
        assert refused(lunch, services.hold_wish, *told) == "wish_slot"


def test_bad_words_and_closed_stations_are_refused(lunch: LunchHour) -> None:
    new = (lunch.station_id, lunch.people["周明"])
    advert = (*new, "加微信 13800138000", "art", None, at("Mon 12:30"))
    assert refused(lunch, services.make_wish, *advert) == "looks_like_advert"
    one = wish(lunch, "李静")
    lunch.session.get_one(Station, lunch.station_id).closed_at = at("Mon 13:00")
    lunch.session.commit()
    assert refused(lunch, services.make_wish, *new, "陶艺", "art", None, at("Mon 13:30")) == "no_wishes_here"
    assert refused(lunch, services.want_wish, one.id, new[1], at("Mon 13:30")) == "no_wishes_here"


def test_after_half_a_year_only_the_numbers_are_left(lunch: LunchHour) -> None:
    held, silent, busy = wish(lunch), wish(lunch, "李静", "陶艺课"), wish(lunch, "刘洋", "捏泥巴")
    want(lunch, held, "李静", "王磊")
    services.hold_wish(lunch.session, held.id, lunch.slot_id, "", at("Mon 14:00"), lunch.manager_id)
    late = at("Mon 14:00") + services.WISHES_KEPT_FOR
    services.want_wish(lunch.session, busy.id, lunch.people["王磊"], late - timedelta(days=1))
    assert services.forget_wishes(lunch.session, at("Mon 12:30") + services.WISHES_KEPT_FOR - timedelta(seconds=1)) == 0
    assert services.forget_wishes(lunch.session, late) == 2
    assert services.forget_wishes(lunch.session, late) == 0
    lunch.session.expire_all()
    assert [(one.state, one.person_id) for one in (held, silent)] == [("held", None), ("lapsed", None)]
    assert [how_many(lunch, one) for one in (held, silent, busy)] == [3, 1, 2]
    assert set(lunch.session.scalars(select(WishVote.wish_id))) == {busy.id}


def test_then_no_instant_of_the_history_tells_who_made_it(lunch: LunchHour) -> None:
    old = wish(lunch)
    services.decline_wish(lunch.session, old.id, "没有地方", at("Mon 14:00"), lunch.manager_id)
    fresh = wish(lunch, text="陶艺课", when="Tue 12:30")
    services.forget_wishes(lunch.session, at("Mon 14:00") + services.WISHES_KEPT_FOR)
    lunch.session.rollback()
    made = select(Event.at, Event.person_id, Event.actor_id).where(Event.kind == "wish_made").order_by(Event.id)
    me = lunch.people["周明"]
    told = [tuple(row) for row in lunch.session.execute(made)]
    assert told == [(old.created_at, None, None), (fresh.created_at, me, me)]


def test_a_deleted_account_wants_nothing_any_more(lunch: LunchHour) -> None:
    alone, shared, held = wish(lunch), wish(lunch, text="陶艺课"), wish(lunch, text="捏泥巴")
    want(lunch, shared, "李静")
    want(lunch, held, "李静")
    services.hold_wish(lunch.session, held.id, lunch.slot_id, "", at("Mon 14:00"), lunch.manager_id)
    told = everything_about(lunch.session, lunch.people["周明"])["wishes"]
    assert [(one["text"], one["made_it"], one["state"]) for one in told][-1] == ("捏泥巴", True, "held")
    people.delete_account(lunch.session, lunch.people["周明"], at("Wed 09:00"))
    lunch.session.expire_all()
    assert (alone.state, alone.text, alone.person_id) == ("withdrawn", "", None)
    assert [(one.state, one.person_id) for one in (shared, held)] == [("open", None), ("held", None)]
    assert [how_many(lunch, one) for one in (alone, shared, held)] == [0, 1, 2]


def test_the_history_names_no_wish_of_a_person(lunch: LunchHour) -> None:
    one = wish(lunch)
    want(lunch, one, "李静")
    services.plan_wish(lunch.session, one.id, "四月", at("Mon 14:00"), lunch.manager_id)
    events = lunch.session.scalars(select(Event).where(Event.kind.startswith("wish_")).order_by(Event.id)).all()
    told = [(event.kind, event.station_id is None, event.details) for event in events]
    made, joined, planned = (
        ("wish_made", True, {}),
        ("wish_joined", True, {}),
        ("wish_planned", False, {"wish": one.id}),
    )
    assert told == [made, joined, planned]


def test_wishes_stand_beside_what_people_got_no_seat_for(lunch: LunchHour) -> None:
    """Of its kind and weekday, or of any; each person once."""
    tuesday, any_day, friday = wish(lunch, day=2), wish(lunch, "李静", "陶艺课"), wish(lunch, "王磊", "捏泥巴", day=5)
    want(lunch, any_day, "周明", "陈晨")
    want(lunch, friday, "赵敏")
    want(lunch, tuesday, "李静")
    count = (lunch.session, lunch.station_id)
    assert wish_list.people_wanting(*count, "crafts", 2) == 3
    assert wish_list.people_wanting(*count, "crafts", 5) == 5
    assert wish_list.people_wanting(*count, "yoga", 2) == 0


@given(presses=st.lists(st.tuples(st.sampled_from(["周明", "李静", "王磊"]), st.booleans()), max_size=12))
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.sqlite
def test_however_people_press_the_number_is_who_wants_it_now(lunch: LunchHour, presses: list[tuple[str, bool]]) -> None:
    text = f"心愿{lunch.session.scalar(select(func.max(ActivityWish.id))) or 0}"
    one, wanting = wish(lunch, "陈晨", text), {"陈晨"}
    for who, wants in presses:
        verb = services.want_wish if wants else services.take_back_wish
        verb(lunch.session, one.id, lunch.people[who], at("Mon 13:00"))
        (wanting.add if wants else wanting.discard)(who)
    assert how_many(lunch, one) == len(wanting)
    services.decline_wish(lunch.session, one.id, "不开", at("Mon 14:00"), lunch.manager_id)
