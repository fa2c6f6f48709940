"""Proof: what is published of a draw: all that is needed to recompute it, and nothing about anybody."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.draws.freeze import published_list
from booking.model import Draw, DrawChain, DrawEntry


def published(session: Session, draw: Draw) -> dict[str, Any]:
    """The draw as `order.check` reads it. The secret is in it once it is drawn, the list once it is sealed."""
    chain = session.get(DrawChain, draw.chain_id) if draw.chain_id else None
    told = {
        "version": draw.version,
        "draw": draw.id,
        "state": draw.state,
        "date": draw.date.isoformat(),
        "commitment": draw.commitment,
        "anchor": chain.anchor if chain else None,
        "link": draw.link_no,
    }
    if draw.list_sha256:
        told |= {"list_sha256": draw.list_sha256, "entries": published_list(session, draw)}
    if draw.state == "drawn":
        told |= {"seats": draw.seats, "secret": draw.secret, "value": "", "seed": draw.seed}
        told["results"] = _results(session, draw)
    return told


def _results(session: Session, draw: Draw) -> list[dict[str, Any]]:
    """In the order of the draw."""
    columns = (DrawEntry.no, DrawEntry.got_slot_id, DrawEntry.passed_over)
    ranked = select(*columns).where(DrawEntry.draw_id == draw.id, DrawEntry.rank.is_not(None)).order_by(DrawEntry.rank)
    return [{"no": no, "slot": got, "passed_over": passed} for no, got, passed in session.execute(ranked)]
