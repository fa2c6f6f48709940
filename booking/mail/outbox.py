"""Outbox: letters that verbs wrote in their own transaction, sent after its commit.

A row is claimed by a conditional UPDATE, so that of any number of senders one sends it; its end is an UPDATE in a
transaction of its own. Mail cannot be sent exactly once: after a connection lost behind DATA, or a sender killed before
its UPDATE, the letter is sent again under the same Message-ID.

An answer about a letter ends that letter. An answer about the sender (`smtp_replies`) pauses all sending (`backoff`).
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, and_, case, delete, exists, false, literal, or_, select, update
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.orm import Session, aliased, scoped_session

from booking.db import transactions
from booking.db.arrays import in_array
from booking.db.transactions import NO_SYNC, transactional
from booking.mail import backoff, bounces, digests, rendering, subscriptions
from booking.mail.smtp_replies import Meaning, without_addresses
from booking.mail.transport import PutOff, Refusal, Rejected, SenderRefused, Transport, Unreachable
from booking.model import Digest, Letter, MailPause

log = logging.getLogger(__name__)

AnySession = Session | scoped_session[Any]

# Delays between tries. No letter is tried for longer than a day.
PAUSES = [timedelta(minutes=m) for m in (1, 5, 15, 60, 180, 360, 720)]
WHILE_NOTHING_LEAVES = PAUSES[:3]
GIVE_UP_AFTER = timedelta(hours=24)
STUCK_AFTER = timedelta(minutes=10)
FORGET_AFTER = timedelta(days=30)
# Kinds whose details are erased once the letter has ended.
SECRET = {"code", "manager_invitation"}

# Due, unless a restore holds it.
WAITS = and_(Letter.state == "queued", Letter.held_at.is_(None))
CAN_WAIT = Letter.kind.in_(subscriptions.KINDS)
AT_ONCE = ~CAN_WAIT


@dataclass
class Delivery:
    """What became of the letters that one round claimed."""

    claimed: int = 0
    sent: int = 0
    put_off: int = 0
    failed: int = 0
    dropped: int = 0
    # Why it ended early; how many refusals in a row may concern the sender, and the last of them.
    trouble: backoff.Trouble | None = field(default=None, compare=False)
    in_a_row: int = field(default=0, compare=False)
    said: str = field(default="", compare=False)
    # Whether there has been an obstacle since the last success.
    kept: bool = field(default=False, compare=False)


def deliver(
    session: AnySession,
    server: Transport,
    now: datetime,
    kinds: ColumnElement[bool] = AT_ONCE,
    limit: int = 20,
    stop: Callable[[], bool] = bool,
) -> Delivery:
    """Send up to `limit` letters that are due. The caller repeats while a round claimed some and put none off.

    No transaction is open during SMTP. `stop` is called before each letter; when it is true, or when sending has to
    pause, the remaining letters are released. During a pause nothing is claimed.
    """
    done = Delivery()
    with transactions.transaction(session) as writing:
        pause = backoff.current(writing)
        claimed = [] if backoff.rests(pause, now) else _claim(writing, now, *_after(pause, now, kinds, limit))
        done.kept, refusals = pause is not None, pause.refusals if pause else 0
    done.claimed, done.in_a_row = len(claimed), refusals
    if claimed:
        _send_all(session, server, claimed, now, stop, done)
        _note(session, done, refusals, now)
    return done


def _send_all(
    session: AnySession,
    server: Transport,
    claimed: list[int],
    now: datetime,
    stop: Callable[[], bool],
    done: Delivery,
) -> None:
    try:
        server.connect()
    except Unreachable as error:  # nothing is rendered: no letter can be sent
        _put_off(session, claimed, error, now, done)
        return
    except SenderRefused as error:
        _put_back(session, claimed, str(error))
        done.trouble = _trouble(error)
        done.put_off += len(claimed)
        return
    ready = _compose(session, claimed, now, done)
    for n, message in enumerate(ready):
        if stop() or done.trouble:
            _put_back(session, [one.letter_id for one in ready[n:]])
            break
        try:
            _send(session, server, message, now, done)
        except Unreachable as error:
            _put_off(session, [one.letter_id for one in ready[n:]], error, now, done)
            break


@transactional
def free_stuck(session: Session, now: datetime) -> int:
    """Release letters whose sender died after claiming them."""
    stuck = update(Letter).where(Letter.state == "sending", Letter.claimed_at < now - STUCK_AFTER)
    return len(session.scalars(stuck.values(state="queued", claimed_at=None).returning(Letter.id)).all())


@transactional
def send_again(session: Session, letter_id: int, now: datetime) -> bool:
    """Queue a failed letter again as if it were new, by a person's wish. False when it has not failed."""
    again = {"state": "queued", "next_try_at": now, "claimed_at": None, "tries": 0}
    mine = update(Letter).where(Letter.id == letter_id, Letter.state == "failed").values(again)
    return session.scalar(mine.returning(Letter.id)) is not None


def forget(session: AnySession, now: datetime, limit: int = 500) -> int:
    """Delete letters older than 30 days, up to `limit`. Their keys are not needed any more: what they told is over."""
    ids = session.scalars(select(Letter.id).where(*_over(now)).limit(limit)).all()
    return _delete(session, ids, now) if ids else 0


@transactional
def _delete(session: Session, ids: Sequence[int], now: datetime) -> int:
    mine = select(Letter.id).where(Letter.id.in_(in_array(ids)), *_over(now)).with_for_update()
    held = in_array(session.scalars(mine).all())
    session.execute(update(Digest).where(Digest.letter_id.in_(held)).values(letter_id=None), execution_options=NO_SYNC)
    session.execute(delete(Letter).where(Letter.id.in_(held)), execution_options=NO_SYNC)
    return len(ids)


def _over(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return Letter.state.in_(("sent", "failed", "dropped")), Letter.created_at < now - FORGET_AFTER


def _claim(session: Session, now: datetime, kinds: ColumnElement[bool], limit: int) -> list[int]:
    """Claim due letters, sign-in codes first and digests last. SKIP LOCKED keeps two senders from waiting for each other."""
    due = select(Letter.id).where(WAITS, Letter.next_try_at <= now, kinds)
    first = due.order_by(Letter.kind != "code", Letter.kind.in_(digests.KINDS), Letter.next_try_at, Letter.id).limit(
        limit
    )
    ids = session.scalars(first.with_for_update(skip_locked=True)).all()
    # Checked again: without FOR UPDATE (SQLite has none) the SELECT and the claim are two steps.
    claim = update(Letter).where(Letter.id.in_(in_array(ids)), WAITS)
    mine = claim.values(state="sending", claimed_at=now).returning(Letter.id)
    taken = set(session.scalars(mine, execution_options=NO_SYNC))
    return [letter_id for letter_id in ids if letter_id in taken]


def _after(
    pause: MailPause | None, now: datetime, kinds: ColumnElement[bool], limit: int
) -> tuple[ColumnElement[bool], int]:
    """What to claim: after a pause a few letters probe the server, and what can wait comes after all others."""
    if pause is None or not pause.rests:
        return kinds, limit
    other = aliased(Letter)
    waits = (other.state == "queued", other.held_at.is_(None))
    due = exists().where(*waits, other.next_try_at <= now, other.kind.not_in(subscriptions.KINDS))
    return and_(kinds, or_(AT_ONCE, ~due)), min(limit, backoff.PATIENCE)


def _compose(session: AnySession, ids: Sequence[int], now: datetime, done: Delivery) -> list[rendering.Message]:
    """Compose the claimed letters. One that cannot be composed is failed and stops no other."""
    ready, updates = [], []
    reading = session() if isinstance(session, scoped_session) else session
    loaded = rendering.load(reading, ids)
    for n, letter in enumerate(loaded.letters):
        end = partial(_end, session, letter.id, letter.kind, now)
        try:
            ready.append(rendering.compose(reading, letter, now, loaded))
        except rendering.Dropped as reason:
            updates.append(partial(end, "dropped", str(reason)))
            done.dropped += 1
        except (OperationalError, InterfaceError):
            raise  # a fault of the database, not of the letter
        except Exception as error:
            log.exception("letter %s cannot be composed", letter.id)
            updates.append(partial(end, "failed", f"{type(error).__name__}: {error}"))
            done.failed += 1
            if isinstance(error, DBAPIError):  # PostgreSQL refuses the rest of this transaction
                updates.append(partial(_put_back, session, [left.id for left in loaded.letters[n + 1 :]]))
                break
    session.rollback()
    for update_row in updates:
        update_row()
    return ready


def _send(session: AnySession, server: Transport, message: rendering.Message, now: datetime, done: Delivery) -> None:
    """Send one letter and record its end; raises `Unreachable`."""
    end = partial(_end, session, message.letter_id, message.kind, now)
    try:
        server.send(message.sender, message.to, message.mime)
    except Rejected as error:
        bounces.refused(session, message.letter_id, error.meaning, str(error), now)
        end("failed", str(error))
        done.failed += 1
        _count(error, done)
    except Unreachable:
        raise
    except PutOff as error:
        _put_off(session, [message.letter_id], error, now, done)
    except Exception as error:
        # Accepted or not: a letter on which the transport itself fails is not tried again.
        log.exception("letter %s cannot be sent", message.letter_id)
        end("failed", f"{type(error).__name__}: {error}")
        done.failed += 1
    else:
        end("sent")
        done.sent += 1
        done.in_a_row = 0


def _trouble(error: Refusal) -> backoff.Trouble:
    return backoff.Trouble(error.meaning.value, str(error))


def _count(error: Refusal, done: Delivery) -> None:
    """Count a refusal. Unclear ones concern the letter; several in a row concern the sender."""
    if isinstance(error, Unreachable):
        done.trouble = backoff.Trouble("unreachable", str(error))
    elif isinstance(error, SenderRefused):
        done.trouble = _trouble(error)
    elif error.meaning in (Meaning.UNCLEAR, Meaning.CONTENT):
        done.in_a_row += 1
        done.said = str(error)
        if done.in_a_row >= backoff.PATIENCE:
            done.trouble = backoff.Trouble("unclear", done.said)


def _note(session: AnySession, done: Delivery, refusals: int, now: datetime) -> None:
    """Record what this round has learnt about the sender."""
    trouble, new = done.trouble, done.in_a_row - (0 if done.sent else refusals)
    if done.sent and done.kept:
        with transactions.transaction(session) as writing:
            backoff.succeeded(writing)
    if trouble or new:
        with transactions.transaction(session) as writing:
            backoff.refused(writing, trouble or backoff.Trouble("unclear", done.said), new, now)


def _end(session: AnySession, letter_id: int, kind: str, now: datetime, state: str, error: str = "") -> None:
    """Write the letter's final state, in a transaction of its own. The code that it carried is erased."""
    values: dict[str, Any] = {"state": state, "error": _kept(error), "sent_at": now if state == "sent" else None}
    if state != "dropped":
        values["tries"] = Letter.tries + 1
    if kind in SECRET:
        values["details"] = {}
    with transactions.transaction(session) as writing:
        writing.execute(update(Letter).where(Letter.id == letter_id).values(values), execution_options=NO_SYNC)


def _put_off(session: AnySession, ids: Sequence[int], error: PutOff, now: datetime, done: Delivery) -> None:
    """Queue each again after the delay of its own number of tries, or give it up; one statement for all of them.

    None is given up because of an answer about the sender as long as no letter at all has been sent since.
    """
    about_us = isinstance(error, SenderRefused) and done.kept and not done.sent
    over = false() if about_us else Letter.created_at < _again(now - GIVE_UP_AFTER)
    pauses = WHILE_NOTHING_LEAVES if about_us else PAUSES
    values = {
        "state": case((over, "failed"), else_="queued"),
        "details": case((and_(over, Letter.kind.in_(SECRET)), literal({}, Letter.details.type)), else_=Letter.details),
        "next_try_at": _again(now, pauses),
        "claimed_at": None,
        "tries": Letter.tries + 1,
        "error": _kept(str(error)),
    }
    mine = update(Letter).where(Letter.id.in_(in_array(ids)), Letter.state == "sending").values(values)
    with transactions.transaction(session) as writing:
        states = writing.scalars(mine.returning(Letter.state), execution_options=NO_SYNC).all()
    done.failed += states.count("failed")
    done.put_off += states.count("queued")
    _count(error, done)


def _again(since: datetime, pauses: Sequence[timedelta] = PAUSES) -> ColumnElement[datetime]:
    """When a letter is tried again, by its number of tries."""
    *first, last = (literal(since + pause, Letter.next_try_at.type) for pause in pauses)
    return case(dict(enumerate(first)), value=Letter.tries, else_=last)


def _put_back(session: AnySession, ids: Sequence[int], error: str | None = None) -> None:
    values: dict[str, Any] = {"state": "queued", "claimed_at": None}
    if error:
        values["error"] = _kept(error)
    with transactions.transaction(session) as writing:
        mine = update(Letter).where(Letter.id.in_(ids), Letter.state == "sending")
        writing.execute(mine.values(values), execution_options=NO_SYNC)


def _kept(error: str) -> str:
    """What may be kept of an error: an account's deletion must leave no address behind."""
    return without_addresses(error)[:300]
