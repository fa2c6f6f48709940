"""Accounts: created, changed, disabled and enabled again."""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from booking import sanitise, seats
from booking.db import transactions
from booking.db.transactions import transactional
from booking.errors import RuleViolation
from booking.history import record
from booking.model import Booking, Person
from booking.people import codes, consent, login_throttle, suppression
from booking.people.passwords import check_strength
from booking.people.sign_ins import Attempt, PendingSignIn, begin, confirm, end_sign_ins, first_step
from booking.people.validation import clean_company, clean_email, clean_language, clean_name, clean_phone


@transactional
def create(
    session: Session,
    email: str,
    name: str,
    now: datetime,
    *,
    password_hash: str | None = None,
    is_admin: bool = False,
    language: str = "zh_Hans_CN",
    actor_id: int | None = None,
) -> Person:
    """A new account, by an admin or from the command line. Raises `email_taken`."""
    address = clean_email(email)
    transactions.advisory_lock(session, f"codes of {address}")
    if session.scalar(select(Person.id).where(Person.email == address)):
        raise RuleViolation("email_taken")
    person = Person(
        email=address,
        name=clean_name(name),
        password_hash=password_hash,
        is_admin=is_admin,
        language=clean_language(language),
        created_at=now,
    )
    return _add(session, person, "created", now, actor_id)


@transactional
def register(
    session: Session,
    email: str,
    code: str,
    name: str,
    password_hash: str | None,
    language: str,
    browser: str,
    address: str,
    now: datetime,
    per_address: int = login_throttle.PER_ADDRESS,
) -> Person | None:
    """An account for the owner of a mailed code who agrees to the privacy notice; with a password or without. None for a
    wrong code, whose count must be committed too."""
    name, language = clean_name(name), clean_language(language)
    if not codes.redeem(session, email, "register", code, browser, address, now, per_address):
        return None
    person = create.inside(session, email, name, now, password_hash=password_hash, language=language)
    consent.agree.inside(session, person.id, consent.PRIVACY_VERSION, now)
    return person


@transactional
def sign_in_after(
    session: Session, change: Callable[[Session], Person | None], password: str, agent: str, now: datetime
) -> str | PendingSignIn | None:
    """`register` or `reset_password` as `change`, then sign in as `first_step` does. None for a wrong code.

    Refuses a password made of what others know, and then the account and its code are as before.
    """
    if not (person := change(session)):
        return None
    # Only now, for only the owner of a code may learn by a refusal what the account is called.
    if person.password_hash:
        check_strength(password, *known_of(person))
    return first_step(session, person, agent, now)


@transactional
def guest(session: Session, name: str, now: datetime, actor_id: int | None = None) -> Person:
    """A guest without an account: a name and nothing else."""
    return _add(session, Person(name=clean_name(name), created_at=now, wants_digest=False), "guest", now, actor_id)


@transactional
def admit_guest(session: Session, name: str, slot_id: int, now: datetime, actor_id: int, *, standby: bool) -> Booking:
    """Seat a guest who has arrived, or put them on standby."""
    person = guest.inside(session, name, now, actor_id)
    if standby:
        return seats.stand_by.inside(session, person.id, slot_id, now, actor_id)
    return seats.walk_in.inside(session, slot_id, person.id, now, actor_id)


@transactional
def reserve_for_guest(session: Session, name: str, slot_id: int, now: datetime, actor_id: int) -> Booking:
    """Reserve a seat for somebody without an account."""
    return seats.reserve.inside(session, slot_id, guest.inside(session, name, now, actor_id).id, now, actor_id)


@transactional
def change_profile(
    session: Session,
    person_id: int,
    now: datetime,
    *,
    name: str,
    phone: str,
    company: str,
    language: str,
    wants_digest: bool,
    wants_manager_digest: bool = True,
    wants_reminder: bool = False,
) -> Person:
    """What a person may change of themselves without a password. The history names the fields, not their contents."""
    wanted = {
        "name": clean_name(name),
        "phone": clean_phone(phone),
        "company": clean_company(company),
        "language": clean_language(language),
        "wants_digest": wants_digest,
        "wants_manager_digest": wants_manager_digest,
        "wants_reminder": wants_reminder,
    }
    return _change(session, alive(session, person_id), wanted, now)


@transactional
def speak(session: Session, person_id: int, language: str, now: datetime) -> Person:
    """Change only the language."""
    return _change(session, alive(session, person_id), {"language": clean_language(language)}, now)


@transactional
def set_password(session: Session, person_id: int, password_hash: str, now: datetime) -> Person:
    """Set a new password; every sign-in ends, so this browser needs a new one."""
    person = alive(session, person_id)
    person.password_hash = password_hash
    end_sign_ins.inside(session, person_id, now, actor_id=person_id)
    record(session, "password_changed", now, actor_id=person_id, person_id=person_id)
    return person


@transactional
def change_password(session: Session, tried: Attempt, password_hash: str, agent: str, now: datetime) -> str:
    """Replace the password that was just confirmed, or set the first one. Returns the token of this browser's new sign-in."""
    person = set_password.inside(session, confirm(session, tried).id, password_hash, now)
    return begin(session, person, agent, now)


@transactional
def reset_password(
    session: Session,
    email: str,
    code: str,
    password_hash: str,
    browser: str,
    address: str,
    now: datetime,
    per_address: int = login_throttle.PER_ADDRESS,
) -> Person | None:
    """A new password for the owner of a mailed code. None for a wrong code, whose count must be committed too."""
    if not codes.redeem(session, email, "reset", code, browser, address, now, per_address):
        return None
    person_id = session.scalar(select(Person.id).where(Person.email == clean_email(email)))
    if person_id is None:
        return None
    person = set_password.inside(session, person_id, password_hash, now)
    suppression.lift(session, person, now)
    return person


@transactional
def ask_for_new_address(
    session: Session,
    tried: Attempt,
    email: str,
    language: str,
    now: datetime,
    browser: str,
    address: str,
    per_address: int = login_throttle.PER_ADDRESS,
) -> None:
    """Mail a code to the address that is to replace the one of the account whose password was just confirmed."""
    codes.ask_for_code.inside(session, email, "register", language, now, browser, address, per_address, told="address")
    confirm(session, tried)


@transactional
def change_address(
    session: Session,
    person_id: int,
    email: str,
    code: str,
    browser: str,
    address: str,
    now: datetime,
    per_address: int = login_throttle.PER_ADDRESS,
    sign_in_id: int | None = None,
) -> bool:
    """Replace the address by one whose mailed code was read; all other sign-ins end. A wrong code must be committed too."""
    if not codes.redeem(session, email, "register", code, browser, address, now, per_address):
        return False
    email = clean_email(email)
    if session.scalar(select(Person.id).where(Person.email == email)):
        raise RuleViolation("email_taken")
    person = alive(session, person_id)
    person.email = email
    end_sign_ins.inside(session, person_id, now, actor_id=person_id, but=sign_in_id)
    suppression.lift(session, person, now)
    record(session, "address_changed", now, actor_id=person_id, person_id=person_id)
    return True


@transactional
def disable(session: Session, person_id: int, now: datetime, actor_id: int, reason: str = "") -> Person:
    """Disable an account: signed out everywhere at once, skipped on every waiting list. Its bookings stay.

    Raises `yourself`, or `last_admin` where the admin who asks was disabled meanwhile.
    """
    if person_id == actor_id:
        raise RuleViolation("yourself")
    hold_admins(session, person_id)
    person = alive(session, person_id)
    if is_last_admin(session, person):
        raise RuleViolation("last_admin")
    if person.disabled_at is None:
        person.disabled_at = now
        end_sign_ins.inside(session, person_id, now, actor_id=actor_id)
        record(
            session,
            "disabled",
            now,
            actor_id=actor_id,
            person_id=person_id,
            reason=sanitise.one_line(reason)[:200] or None,
        )
    return person


@transactional
def enable(session: Session, person_id: int, now: datetime, actor_id: int) -> Person:
    person = alive(session, person_id)
    if person.disabled_at is not None:
        person.disabled_at = None
        record(session, "enabled", now, actor_id=actor_id, person_id=person_id)
    return person


def alive(session: Session, person_id: int) -> Person:
    """The person, locked and freshly read. Raises `no_such_person` for a deleted one."""
    transactions.lock(session, people={person_id})
    person = session.get(Person, person_id, populate_existing=True)
    if person is None or person.deleted_at is not None:
        raise RuleViolation("no_such_person")
    return person


def hold_admins(session: Session, person_id: int) -> None:
    """Let nobody else decide whether an admin goes, if this is one, until the transaction ends; before anybody is locked."""
    if session.scalar(select(Person.is_admin).where(Person.id == person_id)):
        transactions.advisory_lock(session, "admins")


def is_last_admin(session: Session, person: Person) -> bool:
    others = select(func.count(Person.id)).where(
        Person.is_admin, Person.id != person.id, Person.disabled_at.is_(None), Person.deleted_at.is_(None)
    )
    return person.is_admin and not session.scalar(others)


def known_of(person: Person) -> list[str]:
    """What others know of a person, of which a password must not be made."""
    stations = [role.station for role in person.manages]
    return [person.email or "", person.name, *(text for one in stations for text in (one.code, one.name, one.name_en))]


def _add(session: Session, person: Person, kind: str, now: datetime, actor_id: int | None) -> Person:
    session.add(person)
    session.flush()
    record(session, kind, now, actor_id=actor_id or person.id, person_id=person.id)
    return person


def _change(session: Session, person: Person, wanted: dict[str, object], now: datetime) -> Person:
    changed = [field for field, value in wanted.items() if getattr(person, field) != value]
    for field in changed:
        setattr(person, field, wanted[field])
    if changed:
        record(session, "profile_changed", now, actor_id=person.id, person_id=person.id, changed=changed)
    return person
