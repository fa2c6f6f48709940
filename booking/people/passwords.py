"""Passwords: which ones are accepted, hashing them, and checking them.

Argon2 takes 64 MiB and a fifth of a second, so it runs outside of every transaction, and only a few at a time.
"""

import re
import threading
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pwdlib import PasswordHash
from pwdlib.exceptions import UnknownHashError
from pwdlib.hashers.argon2 import Argon2Hasher

from booking.errors import RuleViolation

SHORTEST, LONGEST = 8, 128
DATE = 8  # digits of a birthday, which is hardly more secret than a name
ENDS, BETWEEN, WORDS = re.compile(r"^[\W\d_]+|[\W\d_]+$"), re.compile(r"[\W_]+"), re.compile(r"[^\W\d_]+")
AT_ONCE = 2
PATIENCE = 10.0  # seconds to wait for the semaphore before answering that we are busy

# Words of eight letters or more from the frequency lists of zxcvbn 4.5.0 (MIT, https://github.com/dwolfhub/zxcvbn-python),
# one a line. Read when a password is set and not kept: it would cost 0.4 MB in every process.
COMMON = Path(__file__).with_name("common_passwords.txt")
# What those lists lack: the most common of China, keyboard rows, and the demo's password, which is public.
COMMONEST = frozenset(
    """
    00000000 000000000 0123456789 0987654321 111111111 1111111111 12121212 123123123 12341234 1234512345 22222222
    33333333 44444444 52013141 52013145 5201314a 55555555 66666666 77777777 87654321 88888888 888888888 987654321
    9876543210 99999999 abcdefgh admin1234 dearbook lunch-hour-demo p@ssword w123456789 wang123456 woaini123 woaini1314
    woaini520 woaini521 wojiushiwo xiaoming zhang123 zhang123456
    """.split()  # noqa: SIM905 - a list of words reads better as words
)
# Words of this service, which everybody here sees.
SERVICE = ("lunch", "hour", "yizhan", "wujian", "午间驿小时", "驿站")
OF_ONES_OWN = 5  # letters that a password must have besides known words

_hasher = PasswordHash((Argon2Hasher(),))
_turns = threading.BoundedSemaphore(AT_ONCE)
# Checked when there is no account or no password: the same work, never a match.
_nobody = "$argon2id$v=19$m=65536,t=3,p=4$c3RhdGlvbi1hdC1ub29u$ZZBWtEo8RLTYWZ5WI2BvHgEoeYdVtFrZXoBXv0mtVZE"


def check_strength(password: str, *known: str) -> None:
    """Refuse a password that is too short, too long, among the most common, or made of known words.

    `known` is what others know of its owner: the e-mail address, the name, the station's code and name.
    """
    if len(password) < SHORTEST:
        raise RuleViolation("password_short", limit=SHORTEST)
    if len(password) > LONGEST:
        raise RuleViolation("password_long", limit=LONGEST)
    plain = _plain(password)
    if len(set(plain)) < 3 or _is_common(plain) or _is_common(ENDS.sub("", plain)):
        raise RuleViolation("password_common")
    if _is_made_of(plain, known):
        raise RuleViolation("password_known")


def hash_password(password: str) -> str:
    """The hash to store. Call it outside of transactions: it is slow on purpose."""
    with _turn():
        return _hasher.hash(password)


def fits(password: str, kept: str | None) -> bool:
    """Whether the password matches the hash. Takes the same time when there is no hash."""
    if len(password) > LONGEST:
        password, kept = password[:LONGEST], None
    with _turn():
        try:
            return _hasher.verify(password, kept or _nobody) and kept is not None
        except UnknownHashError:
            return False


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def _is_common(plain: str) -> bool:
    return plain in COMMONEST or (len(plain) >= SHORTEST and f"\n{plain}\n".encode() in b"\n" + COMMON.read_bytes())


def _is_made_of(plain: str, known: Iterable[str]) -> bool:
    """Whether hardly anything is left without the known words: `zhou.ming1990` of zhou.ming@example.com."""
    letters = BETWEEN.sub("", plain)
    left = letters
    for word in sorted(_words(known), key=len, reverse=True):
        left = left.replace(word, "")
    return left != letters and (len(left) < OF_ONES_OWN or (left.isdigit() and len(left) <= DATE))


def _words(known: Iterable[str]) -> set[str]:
    """Each text as a whole and in parts, without parts so short that they are in every other word."""
    plain = [half for text in (*SERVICE, *known) for half in _plain(text).split("@")]
    parts = {part for text in plain for part in (BETWEEN.sub("", text), *WORDS.findall(text))}
    return {part for part in parts if len(part) > 2 or (len(part) == 2 and not part.isascii())}


@contextmanager
def _turn() -> Iterator[None]:
    if not _turns.acquire(timeout=PATIENCE):
        raise RuleViolation("busy")
    try:
        yield
    finally:
        _turns.release()
