"""Invitation of managers: an address without an account becomes a manager of a station by the link in a letter.

Opening the link changes nothing; accepting it works once. Inviting an address again replaces the link.
"""

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import and_, delete, select, update
from sqlalchemy.orm import Session

from booking.db import transactions
from booking.db.transactions import transactional
from booking.enqueue import enqueue
from booking.errors import RuleViolation
from booking.history import record
from booking.model import Letter, ManagerInvitation, Person
from booking.people import consent, login_throttle
from booking.people.accounts import alive, create
from booking.people.roles import appoint
from booking.people.sign_ins import begin, hash_token
from booking.people.validation import clean_email, clean_language

INVITATION_LASTS = timedelta(days=14)
OPEN = and_(ManagerInvitation.accepted_at.is_(None), ManagerInvitation.withdrawn_at.is_(None))


class OpenInvitation(NamedTuple):
    """An open invitation, and what became of its newest letter: a state of `Letter`, None for one deleted since."""

    invitation: ManagerInvitation
    letter_state: str | None


@transactional
def invite_manager(
    session: Session, station_id: int, email: str, language: str, now: datetime, actor_id: int, *, in_bulk: bool = False
) -> Person | None:
    """Appoint the account with this address, or mail an invitation to it. Returns whom it appointed.

    Raises `bad_email`, `disabled_account`, and `too_many_invitations` when the address or, unless it is one of a sheet
    `in_bulk`, the actor has had enough of them today.
    """
    email = clean_email(email)
    transactions.advisory_lock(session, f"codes of {email}")
    about = (ManagerInvitation.station_id == station_id, ManagerInvitation.email == email, OPEN)
    known = session.scalar(select(ManagerInvitation).where(*about).execution_options(populate_existing=True))
    if person := session.scalar(select(Person).where(Person.email == email)):
        if person.disabled_at:
            raise RuleViolation("disabled_account")
        if known:
            _withdraw(session, known, now, actor_id)
        appoint.inside(session, person.id, station_id, now, actor_id)
        return person
    login_throttle.count_invitation(session, None if in_bulk else actor_id, email, now)
    invitation = known or ManagerInvitation(station_id=station_id, email=email, created_at=now)
    _mail(session, invitation, clean_language(language), now, actor_id)
    return None


@transactional
def resend_invitation(
    session: Session, station_id: int, invitation_id: int, language: str, now: datetime, actor_id: int
) -> Person | None:
    """Invite the address of an open invitation again, by a new link. Raises as `invite_manager`, `invitation_ended`."""
    email = _open_email(session, station_id, invitation_id)
    return invite_manager.inside(session, station_id, email, language, now, actor_id)


@transactional
def withdraw_invitation(session: Session, station_id: int, invitation_id: int, now: datetime, actor_id: int) -> None:
    """Make the link of an open invitation invalid. Raises `invitation_ended`."""
    transactions.advisory_lock(session, f"codes of {_open_email(session, station_id, invitation_id)}")
    mine = (ManagerInvitation.id == invitation_id, OPEN)
    found = session.scalar(select(ManagerInvitation).where(*mine).execution_options(populate_existing=True))
    if found is None:
        raise RuleViolation("invitation_ended")
    _withdraw(session, found, now, actor_id)


@transactional
def accept_invitation(session: Session, token: str, person_id: int, now: datetime) -> None:
    """The signed-in owner of the invited address becomes a manager. Raises as `invitation_of`, `invitation_address`."""
    invitation = _claim(session, token, now)
    if alive(session, person_id).email != invitation.email:
        raise RuleViolation("invitation_address")
    _become(session, invitation, person_id, now)


@transactional
def register_invited(
    session: Session,
    token: str,
    name: str,
    password_hash: str | None,
    language: str,
    agent: str,
    now: datetime,
) -> str:
    """A new account for the invited address, which the link has proven, and its first sign-in.

    Returns the sign-in's token. Raises as `invitation_of`, or `email_taken`.
    """
    invitation = _claim(session, token, now)
    person = create.inside(session, invitation.email, name, now, password_hash=password_hash, language=language)
    consent.agree.inside(session, person.id, consent.PRIVACY_VERSION, now)
    _become(session, invitation, person.id, now)
    return begin(session, person, agent, now)


def invitation_of(session: Session, token: str, now: datetime) -> ManagerInvitation:
    """The open invitation with this token.

    Raises `invitation_unknown`, `invitation_used`, `invitation_withdrawn` or `invitation_expired`.
    """
    found = select(ManagerInvitation).where(ManagerInvitation.token_hash == hash_token(token))
    invitation = session.scalar(found.execution_options(populate_existing=True))
    if invitation is None:
        raise RuleViolation("invitation_unknown")
    if invitation.accepted_at:
        raise RuleViolation("invitation_used")
    if invitation.withdrawn_at:
        raise RuleViolation("invitation_withdrawn")
    if invitation.expires_at <= now:
        raise RuleViolation("invitation_expired")
    return invitation


def open_invitations(session: Session, station_id: int) -> Sequence[OpenInvitation]:
    """The invitations of a station that nobody has accepted yet, expired ones too, the oldest first."""
    found = (
        select(ManagerInvitation, Letter.state)
        .outerjoin(Letter, Letter.key == ManagerInvitation.letter_key())
        .where(ManagerInvitation.station_id == station_id, OPEN)
        .order_by(ManagerInvitation.created_at, ManagerInvitation.id)
    )
    return [OpenInvitation(*row) for row in session.execute(found)]


def forget_invitations_to(session: Session, email: str) -> None:
    """Delete what an address was invited to, for its account is deleted."""
    session.execute(delete(ManagerInvitation).where(ManagerInvitation.email == email))


def _open_email(session: Session, station_id: int, invitation_id: int) -> str:
    mine = (ManagerInvitation.id == invitation_id, ManagerInvitation.station_id == station_id, OPEN)
    email = session.scalar(select(ManagerInvitation.email).where(*mine))
    if email is None:
        raise RuleViolation("invitation_ended")
    return email


def _mail(session: Session, invitation: ManagerInvitation, language: str, now: datetime, actor_id: int) -> None:
    token = secrets.token_urlsafe(32)
    invitation.token_hash, invitation.invited_by = hash_token(token), actor_id
    invitation.sent_at, invitation.expires_at = now, now + INVITATION_LASTS
    session.add(invitation)
    session.flush()
    # The letter holds the token until it is sent.
    to, once = invitation.email, f"invitation:{invitation.token_hash}"
    enqueue(session, "manager_invitation", now, to=to, language=language, once=once, token=token)
    at = invitation.station_id
    record(session, "manager_invited", now, actor_id=actor_id, station_id=at, invitation=invitation.id)


def _withdraw(session: Session, invitation: ManagerInvitation, now: datetime, actor_id: int) -> None:
    invitation.withdrawn_at = now
    at = invitation.station_id
    record(session, "invitation_withdrawn", now, actor_id=actor_id, station_id=at, invitation=invitation.id)


def _claim(session: Session, token: str, now: datetime) -> ManagerInvitation:
    """Use an invitation up. Of two who do so at once, the second finds it used."""
    email = invitation_of(session, token, now).email
    transactions.advisory_lock(session, f"codes of {email}")
    invitation = invitation_of(session, token, now)
    # A guard below the lock: who does not update the row has not used it.
    mine = update(ManagerInvitation).where(ManagerInvitation.id == invitation.id, OPEN).values(accepted_at=now)
    if session.scalar(mine.returning(ManagerInvitation.id)) is None:
        raise RuleViolation("invitation_used")
    return invitation


def _become(session: Session, invitation: ManagerInvitation, person_id: int, now: datetime) -> None:
    at, number = invitation.station_id, invitation.id
    record(
        session, "invitation_accepted", now, actor_id=person_id, person_id=person_id, station_id=at, invitation=number
    )
    appoint.inside(session, person_id, at, now, person_id)
