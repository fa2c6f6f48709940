"""Validation: which names, e-mail addresses and phone numbers are accepted, and their stored forms."""

import re
import unicodedata
from collections.abc import Callable

from email_validator import EmailNotValidError, validate_email

from booking import sanitise
from booking.errors import RuleViolation

NAME_LENGTH = 40
COMPANY_LENGTH = 80
EMAIL_LENGTH = 254
LANGUAGES = ("zh_Hans_CN", "en")

# Names reach strangers by mail and roster, so they must not carry advertisements. Some domains are given names too, or
# the letters of one: a family name, a dot and one of these, and perhaps the same name in Chinese, is a name.
ADVERT = re.compile(
    r"@|://|www\.|\d{7}|[.。](com|cn|net|org|info|biz|top|xyz|vip|club|shop|site|online|cc|io|me|app|link|co|ru|tk)\b",
    re.IGNORECASE,
)
FAMILY_AND_GIVEN = re.compile(
    r"[A-Za-zÀ-ɏ]+(?:[ '’-][A-Za-zÀ-ɏ]+)*[.。](?:cc|io|me|link|co|ru|tk)(?: ?\(?[\u3400-\u9fff\U00020000-\U0003ffff]{2,6}\)?)?",
    re.IGNORECASE,
)
LINK = re.compile(r"@|://|www\.", re.IGNORECASE)
PHONE = re.compile(r"\+?[0-9]{6,15}")
CODE = re.compile(r"(?<![0-9])[0-9]{6}(?![0-9])|(?<![0-9])[0-9]{3}[ -][0-9]{3}(?![0-9])")


def clean_name(text: str) -> str:
    """A name in its stored form. Refuses empty and too long names, and advertisements."""
    name = sanitise.one_line(text)
    if not name:
        raise RuleViolation("name_missing")
    return _fitting(name, NAME_LENGTH, is_advert)


def clean_company(text: str) -> str:
    return _fitting(sanitise.one_line(text), COMPANY_LENGTH, _is_link)


def clean_phone(text: str) -> str:
    """Digits, with a + before a country code; empty stays empty."""
    number = re.sub(r"[\s().-]", "", sanitise.bare(text))
    if number and not PHONE.fullmatch(number):
        raise RuleViolation("bad_phone")
    return number


def clean_email(text: str) -> str:
    """An e-mail address in the form that is stored and compared: lower case, its domain in ASCII.

    In front of the @ it must be ASCII too: few servers pass on any other address (SMTPUTF8).
    """
    try:
        found = validate_email(sanitise.bare(text), check_deliverability=False)
    except EmailNotValidError as reason:
        raise RuleViolation("bad_email") from reason
    if found.ascii_email is None:
        raise RuleViolation("email_not_ascii")
    address = found.ascii_email.lower()
    if not 0 < len(address) <= EMAIL_LENGTH:
        raise RuleViolation("bad_email")
    return address


def clean_code(text: str) -> str:
    """The six digits of a code, also out of the sentence that it was copied with."""
    typed = sanitise.plain(text)
    digits = re.sub("[^0-9]", "", typed)
    if len(digits) == 6:
        return digits
    found = {re.sub("[ -]", "", code) for code in CODE.findall(typed)}
    if len(found) != 1:
        raise RuleViolation("no_code")
    return found.pop()


def clean_language(code: str) -> str:
    if code not in LANGUAGES:
        raise RuleViolation("bad_language")
    return code


def is_advert(name: str) -> bool:
    """Whether a name carries an address or a number to call."""
    shown = unicodedata.normalize("NFKC", name)
    return bool(ADVERT.search(shown)) and not FAMILY_AND_GIVEN.fullmatch(shown)


def _is_link(text: str) -> bool:
    return bool(LINK.search(unicodedata.normalize("NFKC", text)))


def _fitting(text: str, limit: int, banned: Callable[[str], bool]) -> str:
    if len(text) > limit:
        raise RuleViolation("too_long", limit=limit)
    if banned(text):
        raise RuleViolation("looks_like_advert")
    return text
