"""Proof: what is published of a draw: all that is needed to recompute it, and nothing about anybody."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from booking.draws import public_value
from booking.draws.entry_list import published_list
from booking.model import Draw, DrawChain, DrawEntry, DrawValue


def announced(session: Session, draw: Draw, typed: Sequence[DrawValue]) -> dict[str, Any]:
    """What is published of the draw beside the list and the results; `typed` are the versions of its public value."""
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
        told["public_value"] = _public_value(draw, typed)
    return told


def published(session: Session, draw: Draw) -> dict[str, Any]:
    """The draw as `order.check` reads it. Secret and value are in it once it is drawn, the list once it is sealed."""
    typed = public_value.versions(session, draw.id) if draw.value_kind != "none" else ()
    told = announced(session, draw, typed)
    if draw.list_sha256:
        told |= {"list_sha256": draw.list_sha256, "entries": published_list(session, draw)}
    if draw.state == "drawn":
        told |= {"seats": draw.seats, "secret": draw.secret, "value": draw.value or "", "seed": draw.seed}
        told["results"] = _results(session, draw)
    return told


def _public_value(draw: Draw, typed: Sequence[DrawValue]) -> dict[str, Any]:
    """What it is and where it is read; once it is drawn, each version that was typed: value, role and when."""
    told: dict[str, Any] = {"kind": draw.value_kind, "source": draw.value_source, "from": _instant(draw.value_from)}
    if draw.state == "drawn":
        told["typed"] = [{"value": one.value, "by": one.role, "at": _instant(one.typed_at)} for one in typed]
    return told


def _instant(at: datetime | None) -> str | None:
    return at.isoformat(timespec="seconds") if at else None


def _results(session: Session, draw: Draw) -> list[dict[str, Any]]:
    """In the order of the draw. Of two people who entered together, `alone` says at which slots one was out, and why."""
    columns = (DrawEntry.no, DrawEntry.partner_id, DrawEntry.got_slot_id, DrawEntry.passed_over)
    ranked = select(DrawEntry.id, *columns).where(DrawEntry.draw_id == draw.id, DrawEntry.rank.is_not(None))
    rows = session.execute(ranked.order_by(DrawEntry.rank)).all()
    others = {row.id: row for row in rows if row.no is None}
    return [_result(row, others.get(row.partner_id, row)) for row in rows if row.no is not None]


def _result(row: Row[Any], other: Row[Any]) -> dict[str, Any]:
    """`other` is the partner's row, or the same again."""
    both = row.passed_over.keys() & other.passed_over.keys()
    passed = {slot: why for slot, why in row.passed_over.items() if slot in both}
    told = {"no": row.no, "slot": row.got_slot_id or other.got_slot_id, "passed_over": passed}
    alone = {slot: why for slot, why in {**row.passed_over, **other.passed_over}.items() if slot not in both}
    return told | {"alone": alone} if alone else told
