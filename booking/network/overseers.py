"""Overseers: the organisers and readers of a node, appointed by e-mail address, and ended."""

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, scoped_session

from booking import people
from booking.db.transactions import transactional
from booking.errors import RuleViolation
from booking.history import record
from booking.model import OVERSIGHT, Event, Node, Oversees, Person
from booking.people.accounts import alive


@transactional
def appoint_overseer(session: Session, node: Node, email: str, role: str, now: datetime, actor_id: int) -> Person:
    """Let the account with this address oversee the node; a second role there replaces the first. Idempotent.

    Raises `bad_email`, `no_account`, `disabled_account`, `no_such_role`, `node_closed`.
    """
    if role not in OVERSIGHT:
        raise RuleViolation("no_such_role")
    if node.closed_at:
        raise RuleViolation("node_closed")
    person_id = people.person_of(session, people.clean_email(email))
    if person_id is None:
        raise RuleViolation("no_account")
    person = alive(session, person_id)
    if person.disabled_at:
        raise RuleViolation("disabled_account")
    held = session.get(Oversees, (person.id, node.id), populate_existing=True)
    was = held.role if held else None
    if was == role:
        return person
    session.merge(Oversees(person_id=person.id, node_id=node.id, role=role, since=now))
    session.flush()
    people.fit_to_role(session, person.id, now)
    about = {"before": was, "after": role, **_about(node, role)}
    record(session, "overseer_appointed", now, actor_id=actor_id, person_id=person.id, **about)
    return person


@transactional
def end_overseer(session: Session, node: Node, person_id: int, now: datetime, actor_id: int) -> bool:
    """End the person's role at the node, from the next request on. Idempotent: whether they had one."""
    alive(session, person_id)
    held = session.get(Oversees, (person_id, node.id), populate_existing=True)
    if held is None:
        return False
    session.delete(held)
    session.flush()
    people.fit_to_role(session, person_id, now)
    record(session, "overseer_ended", now, actor_id=actor_id, person_id=person_id, **_about(node, held.role))
    return True


def was_overseer(session: Session | scoped_session[Any], person_id: int, node_id: int) -> bool:
    """Whether the person had a role at the node once, until somebody ended it."""
    ended = (Event.person_id == person_id, Event.kind == "overseer_ended")
    return session.scalar(select(Event.id).where(*ended, Event.details["node"].as_integer() == node_id)) is not None


def _about(node: Node, role: str) -> dict[str, Any]:
    return {"node": node.id, "name": node.name, "role": role}
