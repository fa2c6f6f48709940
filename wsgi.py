"""The door for `flask` and for the web server."""

import ctypes
from contextlib import suppress

from booking.app import create_app

# glibc gives every thread a heap of its own, and none gives back what another needs: 10 MB for a scheduler, more
# for a web process with many threads. Other C libraries do not know the word.
M_ARENA_MAX = -8
with suppress(OSError, AttributeError):
    ctypes.CDLL(None).mallopt(M_ARENA_MAX, 1)

app = create_app()
