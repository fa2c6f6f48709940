"""Proof: what is published of a draw: all that is needed to recompute it, and nothing about anybody."""

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.draws import public_value
from booking.draws.freeze import published_list
from booking.model import Draw, DrawChain, DrawEntry


def published(session: Session, draw: Draw) -> dict[str, Any]:
    """The draw as `order.check` reads it. Secret and value are in it once it is drawn, the list once it is sealed."""
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
    if draw.value_kind != "none":
        told["public_value"] = _public_value(session, draw)
    if draw.list_sha256:
        told |= {"list_sha256": draw.list_sha256, "entries": published_list(session, draw)}
    if draw.state == "drawn":
        told |= {"seats": draw.seats, "secret": draw.secret, "value": draw.value or "", "seed": draw.seed}
        told["results"] = _results(session, draw)
    return told


def _public_value(session: Session, draw: Draw) -> dict[str, Any]:
    """What it is and where it is read; once it is drawn, each version that was typed: value, role and when."""
    told: dict[str, Any] = {"kind": draw.value_kind, "source": draw.value_source, "from": _instant(draw.value_from)}
    if draw.state == "drawn":
        typed = public_value.versions(session, draw.id)
        told["typed"] = [{"value": one.value, "by": one.role, "at": _instant(one.typed_at)} for one in typed]
    return told


def _instant(at: datetime | None) -> str | None:
    return at.isoformat(timespec="seconds") if at else None


def _results(session: Session, draw: Draw) -> list[dict[str, Any]]:
    """In the order of the draw."""
    columns = (DrawEntry.no, DrawEntry.got_slot_id, DrawEntry.passed_over)
    ranked = select(*columns).where(DrawEntry.draw_id == draw.id, DrawEntry.rank.is_not(None)).order_by(DrawEntry.rank)
    return [{"no": no, "slot": got, "passed_over": passed} for no, got, passed in session.execute(ranked)]
