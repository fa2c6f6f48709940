"""Sanitising: no form, command, sheet or parameter keeps a character that nobody sees."""

import importlib
import io
import pkgutil
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import Text, inspect, select
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict
from wtforms import Form as BareForm
from wtforms import PasswordField, StringField, TextAreaField
from wtforms.fields.core import UnboundField
from wtforms.fields.datetime import DateField, TimeField
from wtforms.fields.numeric import IntegerField

from booking import people, spreadsheets
from booking.db import transactions
from booking.model import Activity, Base, Booking, Event, Person, Plan, Slot, Station, Strike, Zone
from booking.sanitise import lines, one_line, plain
from booking.web import forms
from booking.web.forms.fields import Form, LineField, Prose
from tests.support.desk_cast import Desk
from tests.support.lunch_hour import LunchHour, at
from tests.support.worker_cast import when

DIRTY, CLEAN = "洁\u202e\x07净\u200b\u3164\ufeff", "洁净"


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        (" 周\u3000明 \t", "周 明"),
        ("周\u202e明\u2066\u2069", "周明"),
        ("a\x00b\x1b[31mc\x85d\x9b", "ab[31mc d"),
        ("一\u2028二\u2029三\r\n四", "一 二 三 四"),
        ("a \u200b b", "a b"),
        ("\u200b\u3164\u2800\ufeff\xad", ""),
        ("x\ufffey\uffffz\U0001fffe\ufdd0", "xyz"),
        ("\ud800半", "半"),
        ("tag\U000e0041\U000e007f", "tag"),
        ("王\U00031350", "王\U00031350"),
        ("李\U0002ebf0", "李\U0002ebf0"),
        ("王\U000323af\U0003134a", "王\U000323af\U0003134a"),
        ("䶮\ue863", "䶮\ue863"),
        ("葛\U000e0101", "葛\U000e0101"),
        ("❤\ufe0f🧘🏽", "❤\ufe0f🧘🏽"),
        ("مۇھەممەت ١٢", "مۇھەممەت ١٢"),
        ("e\u0301", "é"),
        ("", ""),
    ],
)
def test_text_is_kept_as_it_is_seen(typed: str, kept: str) -> None:
    assert one_line(typed) == kept
    assert one_line(kept) == kept


def test_the_lines_of_a_longer_text_stay() -> None:
    assert lines("\n 第一\u202e行 \r\n\r\n\x07第二行\r尾\n\n") == "第一行\n\n第二行\n尾"


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("１２：１０", "12:10"),
        ("２０２６－１２－０７", "2026-12-07"),
        ("a\u2010b\u2011c\u2012d\u2013e\u2014f\u2015g\u2212h\u2043i\ufe63j\uff0dk", "a-b-c-d-e-f-g-h-i-j-k"),
        (" \ufeffabc＠example.com\u200b\u3000", "abc@example.com"),
        ("39.9087，\xa0116.4605", "39.9087, 116.4605"),
        ("4️⃣0️⃣5️⃣", "405"),
        ("１５\u202c\n", "15"),
        ("王\U00031350 ①", "王\U00031350 1"),
    ],
)
def test_a_pasted_value_is_read_in_its_plain_form(typed: str, meant: str) -> None:
    assert plain(typed) == meant
    assert plain(meant) == meant


# Every text field of every form


def form_classes() -> Iterator[type[Form]]:
    for module in pkgutil.iter_modules(forms.__path__):
        importlib.import_module(f"{forms.__name__}.{module.name}")
    waiting = [Form]
    while waiting:
        kind = waiting.pop()
        waiting += kind.__subclasses__()
        yield kind


def text_fields() -> Iterator[Any]:
    for form in form_classes():
        for name in dir(form):
            unbound = getattr(form, name)
            if isinstance(unbound, UnboundField) and issubclass(unbound.field_class, StringField):
                yield pytest.param(unbound, id=f"{form.__name__}.{name}")


@pytest.mark.parametrize("unbound", list(text_fields()))
def test_every_text_field_drops_what_nobody_sees(unbound: Any) -> None:
    if issubclass(unbound.field_class, PasswordField):
        return  # a password is what was typed, to the last character
    assert issubclass(unbound.field_class, LineField | Prose)
    with Flask("plain").test_request_context():
        field = unbound.bind(form=BareForm(), name="text")
        field.process(MultiDict({"text": DIRTY}))
        assert field.data == CLEAN


def test_no_form_reads_text_in_another_way() -> None:
    known = (LineField, Prose, PasswordField, IntegerField, DateField, TimeField)
    for form in form_classes():
        for name in dir(form):
            unbound = getattr(form, name)
            if isinstance(unbound, UnboundField) and issubclass(unbound.field_class, StringField | TextAreaField):
                assert issubclass(unbound.field_class, known), f"{form.__name__}.{name}"


# Every address that takes a POST


def hidden(session: Session) -> set[str]:
    """The text columns of all tables that hold a character that nobody sees."""
    session.rollback()
    found = set()
    for table in Base.metadata.sorted_tables:
        texts = [
            column
            for column in table.columns
            if isinstance(column.type, Text) or column.type.python_type in (str, dict)
        ]
        for row in session.execute(select(*texts)) if texts else ():
            for column, value in zip(texts, row, strict=True):
                if any(c in str(value) or repr(c)[1:-1] in str(value) for c in "\u202e\x07\u200b\u3164\ufeff"):
                    found.add(f"{table.name}.{column.name}")
    session.rollback()
    return found


@pytest.fixture
def lunch(session: Session) -> LunchHour:
    """周明 has missed Monday's slot and has a strike; the slot of Thursday is still to come; the manager is an admin too."""
    lunch = LunchHour(session, capacity=3)
    lunch.book("周明", "Mon 10:00")
    lunch.tick("12:10")
    lunch.roll_call("12:11")
    lunch.tick("12:16")
    with transactions.transaction(session):
        manager = session.get_one(Person, lunch.manager_id)
        manager.is_admin, manager.email = True, "desk@example.com"
        session.get_one(Person, lunch.people["李静"]).email = "li@example.com"
    return lunch


def everything(lunch: LunchHour, slot_id: int) -> dict[str, Any]:
    """One body for every form: what is text is dirty, the rest is in order."""
    zone = lunch.session.scalars(select(Zone.id)).first()
    activity = lunch.session.scalars(select(Activity.id)).first()
    names = {name for form in form_classes() for name in dir(form) if isinstance(getattr(form, name), UnboundField)}
    in_order = {
        "activity_id": activity,
        "zone_id": zone,
        "weekdays": ["1", "3"],
        "starts": "15:00",
        "minutes": "50",
        "capacity": "5",
        "valid_from": "2026-11-27",
        "valid_until": "",
        "date": "2026-12-02",
        "kind": "yoga",
        "picture": "default",
        "says": "works",
        "zone_name": "Asia/Shanghai",
        "position": "",
        "language": "en",
        "email": "li@example.com",
        "phone": "",
        "person_id": "",
        "code": "new",
        "age": "1000",
        "act": "in",
        "skip": "",
        "opens_workdays_before": "",
        "opens_clock": "",
        "nonce": "0123456789",
        "after": "",
        "owner": "",
        "booking": lunch.latest("周明").id,
        "slot": slot_id,
        "sure": "y",
        "weeks": "1",
        "from": "2026-11-30",
    }
    return {**dict.fromkeys(names, DIRTY), "q": DIRTY, "next": DIRTY, "back": DIRTY, "key": DIRTY, **in_order}


def addresses(app: Flask, session: Session) -> Iterator[str]:
    """Every address that takes a POST, with the first of what it names."""
    ids = {
        "slot": Slot,
        "booking": Booking,
        "strike": Strike,
        "person": Person,
        "zone": Zone,
        "activity": Activity,
        "plan": Plan,
    }
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule):
        if "POST" in (rule.methods or ()) and not rule.endpoint.startswith("account."):
            values: dict[str, Any] = {"code": "cbd", "kind": "activities", "ticket": "x", "token": "x"}
            for name in rule.arguments - values.keys():
                table = ids.get(name.removesuffix("_id"))
                values[name] = (session.scalars(select(table.id).order_by(table.id)).first() or 1) if table else 1
            with app.test_request_context():
                adapter = app.url_map.bind("localhost")
                yield adapter.build(rule.endpoint, {name: values[name] for name in rule.arguments}, method="POST")


LANDS = {
    *(
        "activity.title",
        "activity.text",
        "activity.host",
        "zone.name",
        "station.name",
        "station.address",
        "person.name",
    ),
    *("strike.forgive_reason", "slot.cancel_reason", "day_override.note", "event.reason"),
}


@pytest.mark.sqlite
def test_no_post_leaves_a_character_that_nobody_sees(app: Flask, session: Session, lunch: LunchHour) -> None:
    desk, slot_id = Desk(app, lunch), lunch.slot("Thu 12:10", 5)
    body, last = everything(lunch, slot_id), ("/cancel", "/close", "/disable", "/delete", "/stop", "/retire")
    paths = sorted(addresses(app, session), key=lambda path: (path.endswith("/pair"), path.endswith(last)))
    for path in paths:
        with time_machine.travel(when("12:20"), tick=False):
            assert desk.client.post(path, data=body).status_code < 500, path
    assert len(paths) > 40
    assert hidden(session) == set()
    assert {name for name in LANDS if not _landed(session, name)} == set()


def _landed(session: Session, name: str) -> bool:
    table, _, column = name.partition(".")
    found = Base.metadata.tables[table].c[column]
    return bool(session.execute(select(found).where(found.contains(CLEAN))).first())


# What comes in otherwise


def test_an_account_page_and_the_command_line_keep_no_such_character(
    app: Flask, session: Session, lunch: LunchHour
) -> None:
    runner = app.test_cli_runner()
    line = ["create-user", "neu@example.com", "--role", "worker", "--name", DIRTY, "--password-stdin"]
    assert runner.invoke(args=line, input="noon-hour-at-the-station\n").exit_code == 0
    with transactions.transaction(session):
        for name, reason in (("李静", "disable"), ("王磊", "forgive")):
            people.disable(session, lunch.people[name], at("12:20"), lunch.manager_id, f"{DIRTY}{reason}")
        strike = session.scalars(select(Strike.id)).one()
        people.forgive(session, strike, at("12:20"), lunch.manager_id, DIRTY)
        people.change_profile(
            session,
            lunch.people["周明"],
            at("12:20"),
            name=DIRTY,
            phone="",
            company=DIRTY,
            language="en",
            wants_digest=True,
        )
    assert hidden(session) == set()
    profile = session.get_one(Person, lunch.people["周明"])
    assert (profile.name, profile.company) == (CLEAN, CLEAN)
    assert session.scalars(select(Event.reason).where(Event.kind == "disabled")).first() == f"{CLEAN}disable"


def test_a_sheet_keeps_no_such_character(app: Flask, session: Session, lunch: LunchHour) -> None:
    table = spreadsheets.Table("t", ["名称", "类别", "介绍"], [[DIRTY, "瑜伽", f"{DIRTY}\n{DIRTY}"]])
    sheet = (io.BytesIO(spreadsheets.write_csv(table)), "a.csv")
    answer = Desk(app, lunch).post("import/activities", "12:20", sheet=sheet)
    assert answer.status_code == 200
    assert hidden(session) == set()
    assert session.scalars(select(Activity.text).where(Activity.title == CLEAN)).one() == f"{CLEAN}\n{CLEAN}"


def test_the_tables_are_all_looked_at(session: Session) -> None:
    """The control: a character that is put there is found."""
    session.add(Station(code="x", name=DIRTY))
    session.flush()
    assert "station" in inspect(session.get_bind()).get_table_names()
    session.commit()
    assert hidden(session) == {"station.name"}
