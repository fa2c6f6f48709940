"""The door for `flask` and for the web server."""

import ctypes
import gc
from contextlib import suppress

from booking.app import create_app

# glibc gives every thread a heap of its own, and none gives back what another needs: 10 MB for a scheduler, more
# for a web process with many threads. Other C libraries do not know the word.
M_ARENA_MAX = -8
with suppress(OSError, AttributeError):
    ctypes.CDLL(None).mallopt(M_ARENA_MAX, 1)

app = create_app()

# What is here to stay need not be looked through again and again for what is not, nor after every 700 new objects.
gc.collect()
gc.freeze()
gc.set_threshold(20_000, 10, 10)
