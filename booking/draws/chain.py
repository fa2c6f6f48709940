"""Chain: the secrets of a station's draws, links of a hash chain whose first value is public.

The last link is derived (HMAC) from SECRET_KEY and a random seed, each other one is the hash of the next: who has read
the database, or a backup of it, knows no secret of a coming draw, and nobody can choose one. With another SECRET_KEY the
links cannot be made any more: a new chain begins, and what the old one was committed to waits for the old key until it
is void. After a restore from a backup a new chain begins as well: links given out since may have become known.
"""

import hmac
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from booking.db import transactions
from booking.db.arrays import in_array
from booking.db.transactions import NO_SYNC, transactional
from booking.draws.order import LINKS, chain_back, sha256
from booking.model import UNDECIDED, Draw, DrawChain

# A draw is committed to its link this long before it opens.
AHEAD = timedelta(hours=24)


def link(secret_key: str, seed: str, number: int) -> str:
    """The link of that number; the anchor is number 0."""
    last = hmac.new(secret_key.encode(), f"draw chain {seed}".encode(), "sha256").hexdigest()
    return chain_back(last, LINKS - number)


def key_id(secret_key: str) -> str:
    """Eight digits that tell one SECRET_KEY from another, and nothing about it."""
    return hmac.new(secret_key.encode(), b"draw chain key id", "sha256").hexdigest()[:8]


def to_commit(session: Session, now: datetime) -> Sequence[int]:
    """Draws that open soon and are not committed to a secret, by station and opening."""
    due = (Draw.state.in_(UNDECIDED), Draw.commitment.is_(None), Draw.opens_at <= now + AHEAD)
    return session.scalars(select(Draw.id).where(*due).order_by(Draw.station_id, Draw.opens_at, Draw.id)).all()


@transactional
def commit(session: Session, draw_id: int, secret_key: str, now: datetime) -> int:
    """Give the draw the next link of its station's chain, and publish what it is committed to."""
    station_id = session.scalar(select(Draw.station_id).where(Draw.id == draw_id))
    transactions.advisory_lock(session, f"draw chain {station_id}")
    draw = session.get_one(Draw, draw_id, populate_existing=True)
    if draw.state not in UNDECIDED or draw.commitment:
        return 0
    chain = _current(session, draw, secret_key, now)
    chain.used += 1
    draw.chain_id, draw.link_no = chain.id, chain.used
    draw.commitment = link(secret_key, chain.seed, chain.used - 1)
    session.flush()
    return 1


def secrets_of(session: Session, draws: Sequence[Draw], secret_key: str) -> dict[int, str]:
    """The secrets that the draws are committed to. Raises while SECRET_KEY is not the one that one was derived from."""
    wanted = select(DrawChain.id, DrawChain.seed).where(
        DrawChain.id.in_(in_array([one.chain_id or 0 for one in draws]))
    )
    seeds: dict[int, str] = {chain_id: seed for chain_id, seed in session.execute(wanted)}  # noqa: C416
    found = {one.id: link(secret_key, seeds[one.chain_id or 0], one.link_no or 0) for one in draws}
    for one in draws:
        if sha256(found[one.id]) != one.commitment:
            raise ValueError(f"draw {one.id}: its secret was derived from another SECRET_KEY")
    return found


def begin_anew(session: Session, now: datetime) -> None:
    """After a restore: links that were revealed after the backup must not be used again.

    Draws that had one, and are not drawn, are committed to a link of a new chain.
    """
    session.execute(
        update(DrawChain).where(DrawChain.ended_at.is_(None)).values(ended_at=now), execution_options=NO_SYNC
    )
    undecided = update(Draw).where(Draw.state.in_(UNDECIDED))
    session.execute(undecided.values(chain_id=None, link_no=None, commitment=None), execution_options=NO_SYNC)


def _current(session: Session, draw: Draw, secret_key: str, now: datetime) -> DrawChain:
    """The chain for such draws of the station with links left; a new one where there is none, or it is another
    SECRET_KEY's."""
    typed = draw.value_kind != "none"
    live = (DrawChain.station_id == draw.station_id, DrawChain.typed == typed, DrawChain.ended_at.is_(None))
    chain = session.scalar(select(DrawChain).where(*live).order_by(DrawChain.id.desc()).limit(1))
    if chain and chain.used < LINKS and chain.key_id == key_id(secret_key):
        return chain
    if chain:
        chain.ended_at = now
    seed = secrets.token_hex(20)
    fresh = DrawChain(station_id=draw.station_id, seed=seed, key_id=key_id(secret_key), used=0, made_at=now)
    fresh.typed = typed
    fresh.anchor = link(secret_key, seed, 0)
    session.add(fresh)
    session.flush()
    return fresh
