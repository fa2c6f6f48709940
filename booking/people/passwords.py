"""Passwords: which ones we take, hashing them, and checking them.

Argon2 takes 64 MiB and a fifth of a second, so it runs outside of every transaction, and only a
few at a time.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from pwdlib import PasswordHash
from pwdlib.exceptions import UnknownHashError
from pwdlib.hashers.argon2 import Argon2Hasher

from booking.refusals import Refused

SHORTEST, LONGEST = 8, 128
AT_ONCE = 2
PATIENCE = 10.0  # seconds that somebody waits for a turn before hearing that we are busy

COMMONEST = frozenset(
    """
    00000000 000000000 0123456789 0987654321 11111111 111111111 1111111111 11112222 11223344 112233445566 12121212
    123123123 123321123 1234512345 12341234 12344321 12345678 123456789 1234567890 12345678910 123456789a 12345679
    123456abc 123456qwerty 12345qwert 1234abcd 1234qwer 123qweasd 147258369 1q2w3e4r 1q2w3e4r5t 1qaz2wsx 1qazxsw2
    22222222 31415926 33333333 44444444 55555555 5201314a 52013145 52013141 66666666 77777777 87654321 88888888
    888888888 987654321 9876543210 99999999 a1234567 a12345678 a123456789 aa123456 aa123456789 aaaaaaaa abc12345
    abc123456 abc123456789 abcd1234 abcd12345 abcdefgh abcdefg1 admin123 admin1234 administrator asdf1234 asdfasdf
    asdfghjk asdfghjkl baseball basketball changeme computer corvette dearbook football iloveyou iloveyou1 internet
    jennifer letmein1 liverpool michelle mustang1 p@ssw0rd p@ssword pa55word passw0rd password password1 password12
    password123 password1234 princess q1w2e3r4 q1w2e3r4t5 qazwsx123 qazwsxedc qq123456 qq123456789 qwer1234 qwerasdf
    qwertyui qwertyuiop qwerty12 qwerty123 qwerty1234 qwertyuiop123 samantha starwars sunshine superman trustno1
    w123456789 wang123456 welcome1 whatever woaini123 woaini1314 woaini520 woaini521 wojiushiwo xiaoming z123456789
    zaq12wsx zhang123 zhang123456 zxcvbnm1 zxcvbnm123 zxcvbnmm zz123456
    """.split()  # noqa: SIM905 - a list of words reads better as words
)

_hasher = PasswordHash((Argon2Hasher(),))
_turns = threading.BoundedSemaphore(AT_ONCE)
# What is checked when there is no account or no password: the same work, never a match.
_nobody = "$argon2id$v=19$m=65536,t=3,p=4$c3RhdGlvbi1hdC1ub29u$ZZBWtEo8RLTYWZ5WI2BvHgEoeYdVtFrZXoBXv0mtVZE"


def check_strength(password: str, email: str = "") -> None:
    """Refuse a password that is too short, too long, or the first that anybody would try."""
    if len(password) < SHORTEST:
        raise Refused("password_short", limit=SHORTEST)
    if len(password) > LONGEST:
        raise Refused("password_long", limit=LONGEST)
    plain = password.lower()
    if plain in COMMONEST or len(set(plain)) < 3 or (email and plain in (email, email.partition("@")[0])):
        raise Refused("password_common")


def hash_password(password: str) -> str:
    """The hash to keep. Outside of transactions: it is slow on purpose."""
    with _turn():
        return _hasher.hash(password)


def fits(password: str, kept: str | None) -> bool:
    """Whether the password is the one behind the hash. As slow for nobody as for somebody."""
    if len(password) > LONGEST:
        password, kept = password[:LONGEST], None
    with _turn():
        try:
            return _hasher.verify(password, kept or _nobody) and kept is not None
        except UnknownHashError:
            return False


@contextmanager
def _turn() -> Iterator[None]:
    if not _turns.acquire(timeout=PATIENCE):
        raise Refused("busy")
    try:
        yield
    finally:
        _turns.release()
