"""The statements that fill a city: each one INSERT … SELECT, so that PostgreSQL does the work."""

from typing import Any

from booking.model import (
    Activity,
    Base,
    Booking,
    Code,
    DayOverride,
    Digest,
    Event,
    Failure,
    Letter,
    Manages,
    Person,
    Plan,
    PlanException,
    SignIn,
    Slot,
    Station,
    Strike,
    Zone,
)


def insert(model: type[Base], source: str, **columns: str) -> str:
    """INSERT … SELECT of these expressions; the model's plain defaults fill the columns that are not named."""
    for column in model.__table__.columns:
        default: Any = column.default
        if column.name not in columns and default is not None and default.is_scalar:
            columns[column.name] = f"'{default.arg}'"
    names, expressions = ", ".join(columns), ", ".join(columns.values())
    return f"INSERT INTO {model.__tablename__} ({names}) SELECT {expressions} {source}"


NOON = {
    "free_until": "noon - interval '30 minutes'",
    "waitlist_until": "noon - interval '15 minutes'",
    "checkin_from": "noon - interval '15 minutes'",
    "starts_at": "noon",
    "release_at": "noon + interval '5 minutes'",
    "ends_at": "noon + interval '50 minutes'",
}
PLACES = (
    insert(
        Station,
        "FROM generate_series(1, %(stations)s) s",
        id="s",
        code="'s' || s",
        name="'驿站 ' || s",
        name_en="'Station ' || s",
        address="'中山路 ' || s || ' 号'",
        policy="'{}'",
        door_secret="md5(s::text)",  # a made-up station's
    ),
    insert(
        Zone,
        "FROM generate_series(1, %(stations)s) s, generate_series(1, %(per_day)s) k",
        id="(s - 1) * %(per_day)s + k",
        station_id="s",
        name="'板块 ' || k",
        capacity="1000",
    ),
    insert(
        Activity,
        "FROM zone",
        id="id",
        station_id="station_id",
        kind="'yoga'",
        title="'白领瑜伽课堂 ' || id",
        title_en="'Yoga at noon'",
        text="'零基础也可以，穿宽松的衣服就好。'",
        host="'李老师'",
        bring="'瑜伽垫'",
        suits="'久坐的人'",
    ),
    insert(
        Plan,
        "FROM zone",
        id="id",
        station_id="station_id",
        activity_id="id",
        zone_id="id",
        weekdays="'12345'",
        starts="'12:10'",
        minutes="50",
        capacity="15",
        valid_from="current_date - 400",
    ),
)
SLOTS = insert(
    Slot,
    """FROM generate_series(0, %(days)s - 1) d, generate_series(1, %(stations)s * %(per_day)s) z,
       LATERAL (SELECT %(noon)s::timestamptz + d * interval '1 day' AS noon) n""",
    id="z + (d * %(stations)s * %(per_day)s)",
    station_id="(z - 1) / %(per_day)s + 1",
    plan_id="z",
    activity_id="z",
    zone_id="z",
    date="%(day)s::date + d",
    opens_at="CASE d WHEN 0 THEN now() - interval '1 hour' ELSE noon - interval '26 hours' END",
    capacity="%(capacity)s",
    state="CASE d WHEN 0 THEN 'open' ELSE 'planned' END",
    **NOON,
)
HOT_ZONES = insert(
    Zone,
    "FROM generate_series(1, 2) n",
    id="%(stations)s * %(per_day)s + n",
    station_id="1",
    name="'大厅 ' || n",
    capacity="1000",
)
HOT_SLOTS = insert(
    Slot,
    "FROM generate_series(1, 2) n, LATERAL (SELECT %(noon)s::timestamptz AS noon) m",
    id="(%(hot)s::bigint[])[n]",
    station_id="1",
    activity_id="1",
    zone_id="%(stations)s * %(per_day)s + n",
    date="%(day)s::date",
    opens_at="now() - interval '1 hour'",
    capacity="1000000",
    state="'open'",
    **NOON,
)
PEOPLE = insert(
    Person,
    "FROM generate_series(1, %(people)s) p",
    id="p",
    email="'p' || p || '@example.com'",
    name="'员工 ' || p",
    created_at="now() - interval '1 year'",
)
PAST_SLOTS = insert(
    Slot,
    """FROM generate_series(1, %(stations)s) s, generate_series(1, %(past)s) d,
       LATERAL (SELECT (s - 1) * %(per_day)s + d %% %(per_day)s + 1 AS z, date_trunc('day', now())
                - (1 + d * 7 / 5) * interval '1 day' + interval '250 minutes' AS noon) t""",
    id="%(first)s + (s - 1) * %(past)s + d - 1",
    station_id="s",
    plan_id="z",
    activity_id="z",
    zone_id="z",
    date="noon::date",
    opens_at="noon - interval '26 hours'",
    capacity="greatest(%(a_slot)s, 15)",
    taken="%(a_slot)s",
    state="'done'",
    released_at="noon + interval '5 minutes'",
    **NOON,
)
PAST_BOOKINGS = insert(
    Booking,
    "FROM slot, generate_series(0, %(a_slot)s - 1) j WHERE slot.id >= %(first)s",
    id="(slot.id - %(first)s) * %(a_slot)s + j + 1",
    slot_id="slot.id",
    station_id="slot.station_id",
    person_id="1 + (slot.station_id * 75 + (slot.id * 7 + j) %% 150) %% %(people)s",
    state="'attended'",
    ticket="'T' || slot.id || '-' || j",
    created_at="slot.opens_at",
    seated_at="slot.opens_at",
    checked_in_at="slot.starts_at",
)
PAST_EVENTS = insert(
    Event,
    "FROM booking b, generate_series(1, 2) n",
    id="(b.id - 1) * 2 + n",
    at="CASE n WHEN 1 THEN b.created_at ELSE b.checked_in_at END",
    kind="CASE n WHEN 1 THEN 'booked' ELSE 'checked_in' END",
    station_id="b.station_id",
    slot_id="b.slot_id",
    booking_id="b.id",
    person_id="b.person_id",
    actor_id="b.person_id",
    before="CASE n WHEN 2 THEN 'booked' END",
    after="CASE n WHEN 1 THEN 'booked' ELSE 'attended' END",
    details="'{}'",
)
ROWS = "FROM generate_series(1, %(rows)s) n"
PAPERS = {
    "manages": insert(
        Manages,
        ROWS,
        person_id="n %% %(people)s + 1",
        station_id="(n / %(people)s + n) %% %(stations)s + 1",
        since="now()",
    ),
    "sign_in": insert(
        SignIn,
        ROWS,
        person_id="n %% %(people)s + 1",
        token_hash="'hash-' || n",
        created_at="now()",
        expires_at="now()",
    ),
    "code": insert(
        Code,
        ROWS,
        email="'p' || n || '@example.com'",
        purpose="'sign_in'",
        code_hash="md5(n::text)",
        created_at="now() - interval '1 day'",
        expires_at="now() - interval '1 day'",
    ),
    "failure": insert(
        Failure,
        ROWS,
        account="md5(n::text)",
        address="'10.0.' || n / 250 || '.' || n %% 250",
        at="now() - n * interval '1 minute'",
    ),
    "day_override": insert(
        DayOverride,
        ROWS,
        station_id="n %% %(stations)s + 1",
        date="current_date - (n / %(stations)s)::int",
        works="true",
    ),
    "plan_exception": insert(
        PlanException,
        ROWS,
        plan_id="n %% (%(stations)s * %(per_day)s) + 1",
        date="current_date - (n / (%(stations)s * %(per_day)s))::int",
    ),
    "letter": insert(
        Letter,
        ROWS,
        kind="'confirmed'",
        person_id="n %% %(people)s + 1",
        slot_id="n",
        booking_id="n",
        details="'{}'",
        message_id="md5(n::text)",
        state="'sent'",
        created_at="now() - n * interval '1 minute'",
        next_try_at="now() - n * interval '1 minute'",
        sent_at="now()",
    ),
    "digest": insert(
        Digest,
        ROWS,
        person_id="n %% %(people)s + 1",
        kind="'worker'",
        date="current_date - (n / %(people)s)::int",
        written_at="now()",
    ),
    "strike": insert(
        Strike,
        ROWS,
        person_id="n %% %(people)s + 1",
        station_id="n %% %(stations)s + 1",
        slot_id="n",
        booking_id="n",
        at="now() - interval '100 days'",
        reason="'no_show'",
    ),
}
