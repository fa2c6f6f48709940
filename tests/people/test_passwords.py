"""Which passwords are taken, and that nobody's takes as long to check as somebody's."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from booking.people import passwords
from booking.refusals import Refused
from tests.network_cast import KEPT, PASSWORD


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
        ("worker@example.com", "password_common"),
    ],
)
def test_weak_passwords_are_refused(password: str, reason: str) -> None:
    with pytest.raises(Refused) as no:
        passwords.check_strength(password, "worker@example.com")
    assert no.value.reason == reason


@pytest.mark.parametrize("password", [PASSWORD, "correct horse", "一二三四五六七八", "🍵🍵🧘🧘🌿🌿🕛🕛", "x y" * 42])
def test_anything_else_is_the_persons_own_business(password: str) -> None:
    passwords.check_strength(password, "worker@example.com")


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
    with passwords._turn(), pytest.raises(Refused, match="busy"):
        passwords.fits(PASSWORD, KEPT)
