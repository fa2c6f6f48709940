"""Which passwords are taken, and that nobody's takes as long to check as somebody's."""

import threading
import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import pytest
from zxcvbn.frequency_lists import FREQUENCY_LISTS

from booking.errors import RuleViolation
from booking.people import passwords
from tests.support.network_cast import KEPT, PASSWORD

KNOWN = ("worker@example.com", "zhou.ming@example.com", "周明", "cbd", "白领驿站", "White-collar Station")


@pytest.fixture(autouse=True)
def cheap_hashes() -> None:
    """Not here: the price is what is asked."""


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("", "password_short"),
        ("1234567", "password_short"),
        ("x" * 129, "password_long"),
        ("12345678", "password_common"),
        ("PassWord", "password_common"),
        ("Woaini1314", "password_common"),
        ("aaaaaaaaaaaa", "password_common"),
        ("abababababab", "password_common"),
        ("worker@example.com", "password_known"),
        # The lists of zxcvbn, in any case and width, and with something at an end.
        ("Baseball", "password_common"),
        ("Trustno1", "password_common"),
        ("something", "password_common"),
        ("Elizabeth", "password_common"),
        ("Password2026!", "password_common"),
        ("!!superman", "password_common"),
        ("ｐａｓｓｗｏｒｄ", "password_common"),
        ("lunch-hour-demo", "password_common"),
        # What is known of the owner.
        ("zhou.ming1990", "password_known"),
        ("ZhouMing!!", "password_known"),
        ("mingzhou19900808", "password_known"),
        ("周明2026周明", "password_known"),
        ("cbd-station-1", "password_known"),
        ("WhiteCollar88", "password_known"),
        ("lunchhour12", "password_known"),
        ("午间驿小时2026", "password_known"),
    ],
)
def test_weak_passwords_are_refused(password: str, reason: str) -> None:
    with pytest.raises(RuleViolation) as no:
        passwords.check_strength(password, *KNOWN)
    assert no.value.reason == reason


@pytest.mark.parametrize(
    "password",
    [
        "noon-at-the-station",
        "ming goes to lunch",
        "mingle+dance",
        "correct horse",
        "一二三四五六七八",
        "🍵🍵🧘🧘🌿🌿🕛🕛",
        "x y" * 42,
    ],
)
def test_anything_else_is_the_persons_own_business(password: str) -> None:
    passwords.check_strength(password, *KNOWN)


def test_the_list_is_that_of_zxcvbn() -> None:
    words = {word for words in FREQUENCY_LISTS.values() for word in words if len(word) >= passwords.SHORTEST}
    assert passwords.COMMON.read_text(encoding="utf-8").split() == sorted(words)
    assert not passwords.COMMONEST & words


def test_the_list_is_not_kept_in_memory() -> None:
    passwords.check_strength("correct horse")
    tracemalloc.start()
    try:
        passwords.check_strength("correct horse", *KNOWN)
        kept, _most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < 100_000


def test_a_password_fits_its_own_hash_only() -> None:
    kept = passwords.hash_password("correct horse")
    assert passwords.fits("correct horse", kept)
    assert not passwords.fits("correct horse ", kept)
    assert passwords.fits(PASSWORD, KEPT)


@pytest.mark.parametrize("kept", [None, "", "plain text", "$argon2id$broken"])
def test_nothing_fits_an_account_without_a_hash(kept: str | None) -> None:
    assert not passwords.fits(PASSWORD, kept)


def test_a_password_longer_than_any_never_fits() -> None:
    kept = passwords.hash_password("x" * 128)
    assert not passwords.fits("x" * 100_000, kept)


def test_nobodys_password_costs_as_much_as_somebodys(monkeypatch: pytest.MonkeyPatch) -> None:
    checked: list[str] = []
    verify = passwords._hasher.verify

    def count(password: str, kept: str) -> bool:
        checked.append(kept.rpartition("$")[0].rpartition("$")[0])
        return verify(password, kept)

    monkeypatch.setattr(passwords._hasher, "verify", count)
    passwords.fits("guess one", passwords.hash_password(PASSWORD))
    passwords.fits("guess one", None)
    assert checked[0] == checked[1] == "$argon2id$v=19$m=65536,t=3,p=4"


def test_only_a_few_are_hashed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    running, most = 0, 0
    lock, full = threading.Lock(), threading.Barrier(passwords.AT_ONCE)

    def slow(_password: str, _kept: str) -> bool:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        full.wait(30)
        with lock:
            running -= 1
        return True

    monkeypatch.setattr(passwords._hasher, "verify", slow)
    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(lambda _n: passwords.fits(PASSWORD, KEPT), range(8)))
    assert most == passwords.AT_ONCE


def test_who_waits_too_long_hears_that_we_are_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "_turns", threading.BoundedSemaphore(1))
    monkeypatch.setattr(passwords, "PATIENCE", 0.01)
    with passwords._turn(), pytest.raises(RuleViolation, match="busy"):
        passwords.fits(PASSWORD, KEPT)
