"""Public value: a number that everybody can look up, typed by whoever entered, which the draw waits for."""

import json
import subprocess
import sys
from datetime import time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, delete, select, update
from sqlalchemy.orm import Session

from booking import draws, invariants, people, slots
from booking.draws import order, proof
from booking.errors import RuleViolation
from booking.model import Draw, DrawChain, DrawValue, Event, Letter, Manages, Plan, Slot
from tests.support.draw_cast import KEY, DrawDay
from tests.support.kills import Killed, killed_at
from tests.support.lunch_hour import NAMES, TUESDAY, at
from tests.support.together import together

NUMBERS = " ".join(f"{n:02}" for n in range(1, 21))
OTHERS = " ".join(f"{n:02}" for n in range(2, 22))


@pytest.fixture
def day(session: Session) -> DrawDay:
    """Monday's draw for Tuesday, for which the evening's numbers of 21:30 count."""
    found = DrawDay(session)
    ask_for(found, "kl8", time(21, 30))
    for name in NAMES[:4]:
        found.enter(name, "Mon 10:00", found.yoga)
    return found


def ask_for(day: DrawDay, kind: str, wall: time, *plans: int) -> None:
    """Every plan of the day, or these, asks for that value; planned anew before the opening."""
    asks = update(Plan).where(Plan.id.in_(plans or day.plans))
    day.session.execute(asks.values(value_kind=kind, value_source="当晚开奖", value_clock=wall))
    day.session.commit()
    day.plan(at("Mon 08:00"))


def put(day: DrawDay, who: str, clock: str, first: str = NUMBERS, again: str | None = None) -> str:
    person_id = day.manager_id if who == "店长" else day.people[who]
    try:
        typed = draws.type_value(day.session, day.draw_id, person_id, first, again or first, at(clock))
    except RuleViolation as no:
        return f"no: {no.reason} {no.details.get('fault', '')}".strip()
    return f"{typed.version} {typed.role}"


def seal(day: DrawDay) -> None:
    day.tick("Mon 09:00")
    day.tick("Mon 12:00")


def sound(day: DrawDay, clock: str) -> None:
    assert invariants.breaches(day.session, at(clock)) == []


def test_the_draw_waits_for_the_value_and_some_minutes_for_its_correction(day: DrawDay) -> None:
    seal(day)
    assert (day.draw().value_from, day.draw().value_until) == (at("Mon 21:30"), at("Mon 23:30"))
    day.tick("Mon 21:40")
    assert day.draw().state == "frozen"
    assert put(day, "周明", "Mon 21:40") == "1 entrant"
    day.tick("Mon 21:49:59")
    assert day.draw().state == "frozen"
    day.tick("Mon 21:50")
    draw = day.draw()
    assert (draw.state, draw.value) == ("drawn", NUMBERS)
    assert draw.seed == order.make_seed(draw.id, draw.list_sha256 or "", draw.secret or "", NUMBERS)
    assert day.entry("周明").result
    sound(day, "Mon 21:51")


def test_two_who_type_at_once_make_two_versions(day: DrawDay, engine: Engine) -> None:
    seal(day)
    both = [(day.people[name], typed) for name, typed in zip(NAMES, (NUMBERS, OTHERS), strict=False)]

    def type_one(s: Session, n: int) -> int:
        who, typed = both[n]
        return draws.type_value.inside(s, day.draw_id, who, typed, typed, at("Mon 21:40")).version

    assert sorted(together(engine, 2, type_one)) == [1, 2]


def test_a_correction_at_the_instant_of_the_draw_counts_or_is_refused(day: DrawDay, engine: Engine) -> None:
    seal(day)
    put(day, "周明", "Mon 21:40")
    who, instant = day.people["李静"], at("Mon 21:50")
    acts = (
        lambda s: draws.draw.inside(s, [day.draw_id], KEY, instant),
        lambda s: draws.type_value.inside(s, day.draw_id, who, OTHERS, OTHERS, instant).version,
    )
    answers = together(engine, 2, lambda s, n: acts[n](s))
    day.session.rollback()
    values = [one.value for one in draws.public_value.versions(day.session, day.draw_id)]
    drawn = (day.draw().state, day.draw().value, values)
    assert (answers, drawn) in (
        ([1, "no: value_closed"], ("drawn", NUMBERS, [NUMBERS])),
        ([0, 2], ("frozen", None, [NUMBERS, OTHERS])),
    )


def test_a_draw_that_is_asked_for_too_soon_stays_as_it_was(day: DrawDay) -> None:
    seal(day)
    put(day, "周明", "Mon 21:40")
    assert draws.draw(day.session, [day.draw_id], "any key", at("Mon 21:45")) == 0
    assert (day.draw().state, day.draw().drawn_at) == ("frozen", None)


@pytest.mark.whole
def test_killed_before_any_statement_no_version_is_half_typed(day: DrawDay, engine: Engine) -> None:
    seal(day)
    put(day, "周明", "Mon 21:40", OTHERS)
    number, done = 1, False
    while not done:
        day.session.rollback()
        try:
            with killed_at(engine, number), Session(engine) as session:
                draws.type_value(session, day.draw_id, day.people["李静"], NUMBERS, NUMBERS, at("Mon 21:45"))
            done = True
        except Killed:
            number += 1
            assert [one.value for one in draws.public_value.versions(day.session, day.draw_id)] == [OTHERS]
            assert len(day.told("value_typed")) == 1
    assert number > 6
    day.session.rollback()
    assert [one.value for one in draws.public_value.versions(day.session, day.draw_id)] == [OTHERS, NUMBERS]
    day.tick("Mon 21:55")
    assert day.draw().value == NUMBERS
    sound(day, "Mon 21:56")


def test_with_all_slots_cancelled_nobody_waits_for_the_value(day: DrawDay) -> None:
    seal(day)
    for slot_id in (day.yoga, day.crafts):
        slots.cancel(day.session, slot_id, "停电", at("Mon 12:30"), day.manager_id)
    day.tick("Mon 12:31")
    assert day.draw().state == "frozen"
    slots.cancel(day.session, day.tea, "停电", at("Mon 12:32"), day.manager_id)
    day.tick("Mon 12:33")
    assert (day.draw().state, day.draw().why_void) == ("void", "cancelled")
    sound(day, "Mon 12:34")


def test_a_correction_stands_beside_and_is_waited_for_again(day: DrawDay) -> None:
    seal(day)
    assert put(day, "周明", "Mon 21:40", OTHERS) == "1 entrant"
    assert put(day, "店长", "Mon 21:48") == "2 manager"
    assert put(day, "李静", "Mon 21:49") == "2 manager"  # the same again changes nothing
    day.tick("Mon 21:57")
    assert day.draw().state == "frozen"
    day.tick("Mon 21:58")
    told = proof.published(day.session, day.draw())
    assert [(one["value"], one["by"]) for one in told["public_value"]["typed"]] == [
        (OTHERS, "entrant"),
        (NUMBERS, "manager"),
    ]
    assert told["value"] == NUMBERS
    assert put(day, "周明", "Mon 21:59", OTHERS) == "no: value_closed"
    assert [line.details["version"] for line in day.told("value_typed")] == [1, 2]
    sound(day, "Mon 21:59")


REFUSED = {
    "before its moment": (("周明", "Mon 21:29:59"), "no: too_early"),
    "before the list is sealed": (("周明", "Mon 11:00"), "no: too_early"),
    "two hours later": (("周明", "Mon 23:30"), "no: value_closed"),
    "who has not entered": (("吴桐", "Mon 21:40"), "no: value_not_yours"),
    "two that differ": (("周明", "Mon 21:40", NUMBERS, OTHERS), "no: value_differs"),
    "nineteen": (("周明", "Mon 21:40", NUMBERS[:-3]), "no: value_shape kl8_count"),
    "the second is no value": (("周明", "Mon 21:40", NUMBERS, NUMBERS[:-3]), "no: value_differs"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused(day: DrawDay, case: str) -> None:
    typed, answer = REFUSED[case]
    seal(day)
    assert put(day, *typed) == answer
    assert day.session.scalars(select(DrawValue)).all() == []


def test_one_person_cannot_put_off_the_draw_for_ever(day: DrawDay) -> None:
    seal(day)
    answers = [put(day, "周明", "Mon 21:40", (NUMBERS, OTHERS)[n % 2]) for n in range(6)]
    assert answers == ["1 entrant", "2 entrant", "3 entrant", "4 entrant", "5 entrant", "no: value_limit"]
    assert put(day, "李静", "Mon 21:41", OTHERS) == "6 entrant"


def test_nobody_types_it_and_the_draw_is_void(day: DrawDay) -> None:
    seal(day)
    day.tick("Mon 23:29:59")
    assert day.draw().state == "frozen"
    day.tick("Mon 23:30")
    assert (day.draw().state, day.draw().why_void, day.entry("周明").result) == ("void", "no_value", None)
    assert {letter.details["what"] for letter in day.session.scalars(select(Letter))} == {"no_value"}
    sound(day, "Mon 23:31")


def test_a_value_of_the_last_second_still_has_its_minutes(day: DrawDay) -> None:
    seal(day)
    assert put(day, "周明", "Mon 23:29:59") == "1 entrant"
    day.tick("Mon 23:35")
    assert day.draw().state == "frozen"
    day.tick("Mon 23:40")
    assert day.draw().state == "drawn"


def test_one_draw_has_one_value_and_it_is_fixed_at_the_opening(session: Session) -> None:
    day = DrawDay(session)
    ask_for(day, "hex", time(20), day.plans[2])
    assert {slot.draw_id for slot in session.scalars(select(Slot))} == {day.draw_id}
    assert (day.draw().value_kind, day.draw().value_from) == ("hex", at("Mon 20:00"))
    session.execute(update(Plan).values(value_clock=time(22)))
    session.commit()
    day.plan(at("Mon 10:00"))
    assert day.draw().value_from == at("Mon 20:00")


@pytest.mark.parametrize(("wall", "until"), [("11:20", None), ("11:18", "11:28"), ("11:07", None), ("11:08", "11:28")])
def test_on_the_slots_own_day_the_value_comes_in_time_or_none_counts(
    session: Session, wall: str, until: str | None
) -> None:
    """Closed at 11:07, so that from 11:28 there is time to correct, and to draw before the waiting lists end at 11:40."""
    day = DrawDay(session, opens_workdays_before=0, draw_minutes=67)
    ask_for(day, "digits", time.fromisoformat(wall))
    assert (day.draw().value_kind, day.draw().value_until) == (
        ("digits", at(f"Tue {until}")) if until else ("none", None)
    )


# The wall time of the value, the opening of the plan, and what the rule says of it.
PLANS: dict[str, tuple[str, dict[str, Any], str]] = {
    "in the evening": ("21:30", {}, "ok"),
    "just after the list is sealed": ("12:01", {}, "ok"),
    "when the list is sealed": ("12:00", {}, "value_before_closing"),
    "opened on the day itself, in time": ("11:18", {"opens_workdays_before": 0, "opens_clock": time(8)}, "ok"),
    "opened on the day itself, too late": (
        "11:19",
        {"opens_workdays_before": 0, "opens_clock": time(8)},
        "value_too_late",
    ),
}


@pytest.mark.parametrize("case", PLANS)
def test_a_plan_asks_for_a_value_that_comes_in_time(session: Session, case: str) -> None:
    wall, others, answer = PLANS[case]
    assert save(DrawDay(session), 0, wall, **others) == answer


def test_two_plans_of_one_draw_ask_for_the_same_value(session: Session) -> None:
    day = DrawDay(session)
    assert save(day, 0, "21:30") == "ok"
    assert save(day, 1, "20:30") == "value_rival"
    assert save(day, 1, "21:30") == "ok"
    assert save(day, 2, "20:30", opens_clock=time(11)) == "ok"


def save(day: DrawDay, place: int, wall: str, **others: Any) -> str:
    plan = day.session.get_one(Plan, day.plans[place])
    day.session.expunge(plan)
    plan.value_kind, plan.value_source, plan.value_clock = "kl8", "当晚开奖", time.fromisoformat(wall)
    for name, value in others.items():
        setattr(plan, name, value)
    try:
        slots.save_plan(day.session, plan, at("Mon 08:00"))
    except RuleViolation as no:
        return no.reason
    return "ok"


def test_draws_with_and_without_a_value_have_chains_of_their_own(day: DrawDay) -> None:
    """A later link tells the earlier ones: who is drawn at noon must neither wait for the evening nor give it away."""
    noon = Draw(station_id=day.station_id, date=at("Wed 12:00").date(), opens_at=at("Mon 10:30"),
                closes_at=at("Mon 12:00"), version=order.VERSION)  # fmt: skip
    day.session.add(noon)
    day.session.commit()
    seal(day)
    day.tick("Mon 12:01")
    assert (day.draw().state, noon.state) == ("frozen", "void")
    assert sorted(day.session.scalars(select(DrawChain.typed))) == [False, True]


def test_a_secret_of_the_same_chain_waits_for_the_value(day: DrawDay) -> None:
    later = Draw(station_id=day.station_id, date=TUESDAY, opens_at=at("Mon 10:30"), closes_at=at("Mon 12:00"),
                 version=order.VERSION)  # fmt: skip
    day.session.add(later)
    day.session.flush()
    day.session.get_one(Slot, day.tea).draw_id = later.id
    day.session.commit()
    seal(day)
    chain = day.session.scalars(select(DrawChain).where(DrawChain.typed)).one()
    later.chain_id, later.link_no = chain.id, 2
    day.session.commit()
    assert draws.to_draw(day.session, at("Mon 12:01")) == []
    put(day, "周明", "Mon 21:30")
    assert draws.to_draw(day.session, at("Mon 21:40")) == [day.draw_id]


BROKEN = {
    "another value": update(Draw).values(value=OTHERS),
    "a second version": "later",
    "a changed version": update(DrawValue).values(value=OTHERS),
    "a changed version and value": "both",
    "a version that is gone": delete(DrawValue),
    "typed before its moment": update(DrawValue).values(typed_at=at("Mon 21:29")),
}


@pytest.mark.parametrize("case", BROKEN)
def test_control_the_check_finds_a_value_that_was_tampered_with(day: DrawDay, case: str) -> None:
    seal(day)
    put(day, "周明", "Mon 21:40")
    day.tick("Mon 21:50")
    sound(day, "Mon 21:51")
    statement = BROKEN[case]
    if statement == "later":
        day.session.add(
            DrawValue(draw_id=day.draw_id, version=2, value=OTHERS, role="manager", typed_at=at("Mon 21:51"))
        )
    elif statement == "both":
        day.session.execute(update(DrawValue).values(value=OTHERS))
        day.session.execute(update(Draw).values(value=OTHERS))
    else:
        day.session.execute(statement)  # type: ignore[call-overload]
    day.session.commit()
    assert {breach.split()[0] for breach in invariants.breaches(day.session, at("Mon 21:52"))} == {"I11"}


def test_anybody_recomputes_it_and_reads_what_to_look_up(day: DrawDay, tmp_path: Path) -> None:
    seal(day)
    assert "value" not in proof.published(day.session, day.draw())
    put(day, "周明", "Mon 21:40", OTHERS)
    put(day, "李静", "Mon 21:41")
    day.tick("Mon 21:51")
    (tmp_path / "check.py").write_bytes(Path(order.__file__).read_bytes())
    (tmp_path / "list.json").write_text(json.dumps(proof.published(day.session, day.draw())))
    ran = subprocess.run(
        [sys.executable, "-I", "check.py", "list.json"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    first, *_, last = ran.stdout.splitlines()
    assert first.startswith(f"value: {NUMBERS} (look it up: 当晚开奖, 2026-11-23T13:30:00")
    assert last == "ok"


def test_whose_hand_it_was_is_exported_and_forgotten_with_old_entries(day: DrawDay) -> None:
    seal(day)
    put(day, "周明", "Mon 21:40")
    (told,) = people.everything_about(day.session, day.people["周明"])["public_values"]
    assert (told["value"], told["role"]) == (NUMBERS, "entrant")
    day.session.rollback()
    people.forget_entries(day.session, at("Mon 12:00").replace(year=2027, month=8))
    assert day.session.scalars(select(DrawValue.person_id)).all() == [None]


def test_who_manages_types_as_that_also_with_an_entry(day: DrawDay) -> None:
    day.session.add(Manages(person_id=day.people["周明"], station_id=day.station_id, since=at("Mon 08:00")))
    day.session.commit()
    seal(day)
    assert put(day, "周明", "Mon 21:40") == "1 manager"
    assert day.session.scalars(select(Event.person_id).where(Event.kind == "value_typed")).all() == [day.people["周明"]]
