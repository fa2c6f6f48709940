"""Proxies: whether a proxy stands in front that TRUSTED_PROXIES does not know of.

Then all clients have the proxy's address, and share one limit on failed sign-ins.
"""

import logging
from collections.abc import Callable, Mapping
from ipaddress import ip_address
from typing import Any

log = logging.getLogger(__name__)


def is_forgotten(environ: Mapping[str, Any], trusted: int) -> bool:
    """Whether a request came through such a proxy: forwarded for somebody, by an address of this network."""
    return not trusted and "HTTP_X_FORWARDED_FOR" in environ and _is_private(environ.get("REMOTE_ADDR", ""))


def warner(trusted: int) -> Callable[[Mapping[str, Any]], None]:
    """A function that logs this at the first such request of the process."""
    told = bool(trusted)

    def look(environ: Mapping[str, Any]) -> None:
        nonlocal told
        if not told and is_forgotten(environ, trusted):
            told = True
            log.warning("a proxy is in front: set TRUSTED_PROXIES, or all clients share one limit on sign-ins")

    return look


def _is_private(address: str) -> bool:
    """A proxy that speaks through a Unix socket has no address."""
    try:
        return not address or ip_address(address).is_private
    except ValueError:
        return False
