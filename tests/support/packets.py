"""A host that vanishes: packets to and from a port of this machine are dropped, not refused. Needs iptables and root."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def dropped(port: int) -> Iterator[None]:
    """As long as the block lasts, nothing reaches the server at this port, and nothing comes from it."""
    for side in ("--dport", "--sport"):
        _iptables("-I", port, side)
    try:
        yield
    finally:
        for side in ("--dport", "--sport"):
            _iptables("-D", port, side)


def _iptables(change: str, port: int, side: str) -> None:
    rule = ["iptables", "-w", change, "INPUT", "-i", "lo", "-p", "tcp", side, str(port), "-j", "DROP"]
    subprocess.run(rule if os.geteuid() == 0 else ["sudo", "-n", *rule], check=True)
