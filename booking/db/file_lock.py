"""File lock: held by one process for as long as it lives, however it ends; free as soon as it is gone.

All processes of one SQLite database are on one host, so a lock of a file beside it tells them apart.
"""

import fcntl
import os
from contextlib import suppress
from pathlib import Path

from booking import clock


class FileLock:
    """An exclusive lock of a file that is created where there is none. Whoever may read it may lock it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._number: int | None = None

    def acquire(self) -> bool:
        """Whether this process has the lock now. Does not wait."""
        number = os.open(self.path, os.O_RDONLY | os.O_CREAT, 0o644)
        try:
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(number)
            return False
        self._number = number
        return True

    def is_free(self) -> bool:
        """Whether nobody has it. Does not keep it."""
        free = self.acquire()
        self.release()
        return free

    def holds(self) -> bool:
        return self._number is not None

    def release(self) -> None:
        if self._number is not None:
            os.close(self._number)
            self._number = None

    def noted_for(self) -> float:
        """Seconds since the last word was left."""
        with suppress(OSError):
            return clock.on_this_host().timestamp() - self.path.stat().st_mtime
        return 0.0

    def note(self, text: str) -> None:
        """Leave a word in the file for the next process, where this one may."""
        with suppress(OSError):
            self.path.write_text(text)

    def noted(self) -> str:
        with suppress(OSError, UnicodeDecodeError):
            return self.path.read_text()
        return ""
