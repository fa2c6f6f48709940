"""Invitations of managers: a link in a letter, once, for one address."""

from datetime import timedelta
from email import message_from_bytes
from email.policy import default

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from booking import invariants, people
from booking.db import transactions
from booking.errors import RuleViolation
from booking.mail import context
from booking.mail.outbox import deliver
from booking.model import Event, Letter, ManagerInvitation, Manages, Person, SignIn
from booking.people.login_throttle import INVITATIONS_BY, INVITATIONS_TO
from tests.support.network_cast import KEPT, MONDAY, Network

NEW, ZHOU = "new@example.com", "zhou@example.com"
DAY = timedelta(days=1)
NAME = "赵敏"


def invite(network: Network, email: str = NEW, station: str = "cbd", now=MONDAY) -> Person | None:
    told = (network.stations[station], email, "zh_Hans_CN", now, network.ids["何主任"])
    return people.invite_manager(network.session, *told)


def token(network: Network, email: str = NEW) -> str:
    return str(network.letters(email)[-1].details["token"])


def register(network: Network, link: str, now=MONDAY) -> str:
    return people.register_invited(network.session, link, NAME, KEPT, "zh_Hans_CN", "browser", now)


def kinds(session: Session) -> list[str]:
    about = ("manager_invited", "invitation_accepted", "invitation_withdrawn", "appointed")
    return list(session.scalars(select(Event.kind).where(Event.kind.in_(about)).order_by(Event.id)))


def runs(session: Session, email: str) -> list[int]:
    session.rollback()
    return list(
        session.scalars(
            select(Manages.station_id).join(Person, Manages.person_id == Person.id).where(Person.email == email)
        )
    )


def test_a_new_account_begins_as_manager_with_a_sign_in_of_staff(network: Network) -> None:
    assert invite(network, " New@Example.com ") is None
    link = token(network)
    assert link not in network.session.scalars(select(ManagerInvitation.token_hash)).all()
    register(network, link)
    assert runs(network.session, NEW) == [network.stations["cbd"]]
    person = network.session.scalars(select(Person).where(Person.email == NEW)).one()
    until = network.session.scalars(select(SignIn.expires_at).where(SignIn.person_id == person.id)).one()
    assert (person.name, until - MONDAY) == (NAME, timedelta(hours=12))
    assert kinds(network.session)[-3:] == ["manager_invited", "invitation_accepted", "appointed"]
    assert invariants.breaches(network.session, MONDAY) == []


def test_an_account_is_appointed_at_once_and_what_was_open_for_it_is_withdrawn(network: Network) -> None:
    invite(network)
    with transactions.transaction(network.session) as session:
        people.create(session, NEW, NAME, MONDAY)
    appointed = invite(network)
    assert appointed
    assert appointed.name == NAME
    assert [letter.kind for letter in network.letters(NEW)] == ["manager_invitation"]
    assert runs(network.session, NEW) == [network.stations["cbd"]]
    assert people.open_invitations(network.session, network.stations["cbd"]) == []
    assert invariants.breaches(network.session, MONDAY) == []


def test_inviting_again_replaces_the_link_of_the_one_invitation(network: Network) -> None:
    invite(network)
    first = token(network)
    invite(network, now=MONDAY + DAY)
    (found,) = people.open_invitations(network.session, network.stations["cbd"])
    assert found.invitation.expires_at == MONDAY + DAY + people.INVITATION_LASTS
    assert found.letter_state == "queued"
    with pytest.raises(RuleViolation, match="invitation_unknown"):
        people.invitation_of(network.session, first, MONDAY + DAY)
    old, new = network.letters(NEW)
    with pytest.raises(context.Dropped):
        context.of(network.session, old, None, MONDAY + DAY)
    assert context.of(network.session, new, None, MONDAY + DAY)["until"] == found.invitation.expires_at


ENDS = {
    "invitation_unknown": lambda _network, _link: "x" * 43,
    "invitation_used": lambda network, link: (register(network, link), link)[1],
    "invitation_withdrawn": lambda network, link: (withdraw(network), link)[1],
    "invitation_expired": lambda _network, link: link,
}


def withdraw(network: Network) -> None:
    (found,) = people.open_invitations(network.session, network.stations["cbd"])
    told = (network.stations["cbd"], found.invitation.id, MONDAY, network.ids["何主任"])
    people.withdraw_invitation(network.session, *told)


@pytest.mark.parametrize("reason", ENDS)
def test_a_link_that_is_over_makes_nobody_a_manager(network: Network, reason: str) -> None:
    invite(network)
    link = ENDS[reason](network, token(network))
    before, later = runs(network.session, NEW), MONDAY + 14 * DAY
    for act in (
        lambda: register(network, link, later),
        lambda: people.accept_invitation(network.session, link, network.ids["周明"], later),
    ):
        with pytest.raises(RuleViolation, match=reason):
            act()
    assert runs(network.session, NEW) == before
    assert runs(network.session, ZHOU) == []
    assert invariants.breaches(network.session, later) == []


def test_only_the_owner_of_the_address_accepts_with_an_account(network: Network) -> None:
    invite(network)
    with pytest.raises(RuleViolation, match="invitation_address"):
        people.accept_invitation(network.session, token(network), network.ids["周明"], MONDAY)
    assert runs(network.session, ZHOU) == []
    with transactions.transaction(network.session) as session:
        new = people.create(session, NEW, NAME, MONDAY).id
    people.accept_invitation(network.session, token(network), new, MONDAY)
    assert runs(network.session, NEW) == [network.stations["cbd"]]


def test_an_ended_invitation_is_neither_sent_again_nor_withdrawn(network: Network) -> None:
    invite(network)
    (found,) = people.open_invitations(network.session, network.stations["cbd"])
    other = (network.stations["west"], found.invitation.id)
    mine = (network.stations["cbd"], found.invitation.id)
    he = network.ids["何主任"]
    with pytest.raises(RuleViolation, match="invitation_ended"):  # of another station
        people.withdraw_invitation(network.session, *other, MONDAY, he)
    people.withdraw_invitation(network.session, *mine, MONDAY, he)
    with pytest.raises(RuleViolation, match="invitation_ended"):
        people.withdraw_invitation(network.session, *mine, MONDAY, he)
    with pytest.raises(RuleViolation, match="invitation_ended"):
        people.resend_invitation(network.session, *mine, "en", MONDAY, he)


@pytest.mark.parametrize(
    ("limit", "address"), [(INVITATIONS_TO, "{}@example.com"), (INVITATIONS_BY, "n{}@example.com")]
)
def test_invitations_of_a_day_are_limited(network: Network, limit, address: str) -> None:
    one = limit is INVITATIONS_TO
    for number in range(limit.most):
        invite(network, address.format("new" if one else number))
    with pytest.raises(RuleViolation, match="too_many_invitations") as no:
        invite(network, address.format("new" if one else "more"))
    assert no.value.details["until"] == MONDAY + DAY
    assert invite(network, address.format("new" if one else "more"), now=MONDAY + DAY) is None


def test_the_letter_forgets_the_link_once_it_is_sent(network: Network, app) -> None:
    class Server:
        def connect(self) -> None: ...

        def send(self, _sender: str, _to: str, mime: bytes) -> None:
            sent.append(mime)

    sent: list[bytes] = []
    invite(network)
    link = token(network)
    with app.app_context():
        deliver(network.session, Server(), MONDAY)  # type: ignore[arg-type]
    text = message_from_bytes(sent[0], policy=default).get_body(("plain",))
    assert text
    assert f"/account/invitation/{link}" in text.get_content()
    (letter,) = network.letters(NEW)
    assert (letter.state, letter.details) == ("sent", {})
    (found,) = people.open_invitations(network.session, network.stations["cbd"])
    assert found.letter_state == "sent"


def test_old_invitations_and_those_to_a_deleted_account_are_forgotten(network: Network) -> None:
    invite(network)
    with transactions.transaction(network.session) as session:
        person = people.create(session, NEW, NAME, MONDAY).id
    told = people.everything_about(network.session, person)["invitations"]
    assert [(one["station"], one["accepted_at"]) for one in told] == [("白领驿站", None)]
    people.delete_account(network.session, person, MONDAY)
    assert network.session.scalars(select(ManagerInvitation)).all() == []
    assert network.session.scalars(select(Letter.to).where(Letter.kind == "manager_invitation")).all() == [None]
    invite(network, "other@example.com")
    invite(network, "third@example.com", now=MONDAY + DAY)
    people.forget(network.session, MONDAY + people.INVITATION_LASTS + 30 * DAY)
    assert network.session.scalars(select(ManagerInvitation.email)).all() == ["third@example.com"]
