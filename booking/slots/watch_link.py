"""Watch link: marks a slot as one that can also be watched online, elsewhere, and sets the link.

Links lead to the hosts that the network allows, and to nothing else: people follow them on the station's word.
"""

import re
from collections.abc import Collection
from datetime import datetime
from urllib.parse import urlsplit

from sqlalchemy.orm import Session

from booking import seats
from booking.db.transactions import transactional
from booking.errors import RuleViolation
from booking.history import record
from booking.model import Slot, WatchLink

LONGEST = 300
# What an address may consist of: ASCII without blanks, quotes, brackets of markup and the backslash, a slash to browsers.
ADDRESS = re.compile(r"[!#$%&()*+,\-./0-9:;=?@A-Z_a-z~\[\]]+")


@transactional
def set_watch_link(
    session: Session, slot_id: int, url: str | None, hosts: Collection[str], now: datetime, actor_id: int | None = None
) -> None:
    """Set the link; empty while it is still missing, None when the slot is not to be watched online any more.

    Who has opened it until then stays counted. Raises `cancelled`, `over`, and what `check_link` raises.
    """
    check_link(url or "", hosts)
    slot = seats.lock_unfinished(session, slot_id, now)
    write_link(session, slot, url, now, actor_id)


def write_link(session: Session, slot: Slot, url: str | None, now: datetime, actor_id: int | None) -> None:
    """Write the link of a locked or new slot, and what has changed."""
    link = session.get(WatchLink, slot.id, populate_existing=True)
    if url is None:
        if link:
            session.delete(link)
            record(session, "hybrid_ended", now, actor_id=actor_id, slot=slot)
        return
    if link is None:
        link = WatchLink(slot_id=slot.id, url="")
        session.add(link)
        record(session, "hybrid_marked", now, actor_id=actor_id, slot=slot)
    if link.url != url:
        link.url = url
        # The host only: a link may let its reader in.
        record(session, "watch_link_set", now, actor_id=actor_id, slot=slot, host=host_of(url))


def check_link(url: str, hosts: Collection[str]) -> None:
    """Raises `watch_markup`, `watch_not_https`, `watch_port` or `watch_host` where people cannot be sent to it."""
    if not url:
        return
    if len(url) > LONGEST or not ADDRESS.fullmatch(url):
        raise RuleViolation("watch_markup")
    if not url.startswith("https://"):
        raise RuleViolation("watch_not_https")
    place = url.removeprefix("https://").partition("/")[0].partition("?")[0].partition("#")[0]
    if "@" in place or ":" in place:
        raise RuleViolation("watch_port")
    if host_of(url) not in hosts or host_of(url) != place.lower():
        raise RuleViolation("watch_host", hosts=", ".join(hosts))


def is_allowed(url: str, hosts: Collection[str]) -> bool:
    """Whether people can be sent to it now: the list of hosts may have changed since it was set."""
    try:
        check_link(url, hosts)
    except RuleViolation:
        return False
    return bool(url)


def host_of(url: str) -> str:
    """The host of an address; empty for what is none."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
