"""Validation: which names, e-mail addresses and phone numbers are accepted, and their stored forms."""

import re
import unicodedata

from email_validator import EmailNotValidError, validate_email

from booking import sanitise
from booking.errors import RuleViolation

NAME_LENGTH = 40
COMPANY_LENGTH = 80
EMAIL_LENGTH = 254
LANGUAGES = ("zh_Hans_CN", "en")

# Names reach strangers by mail and roster, so they must not carry advertisements.
ADVERT = re.compile(
    r"@|://|www\.|\d{7}|[.。](com|cn|net|org|info|biz|top|xyz|vip|club|shop|site|online|cc|io|me|app|link|co|ru|tk)\b",
    re.IGNORECASE,
)
LINK = re.compile(r"@|://|www\.", re.IGNORECASE)
PHONE = re.compile(r"\+?[0-9]{6,15}")


def clean_name(text: str) -> str:
    """A name in its stored form. Refuses empty and too long names, and advertisements."""
    name = sanitise.one_line(text)
    if not name:
        raise RuleViolation("name_missing")
    return _fitting(name, NAME_LENGTH, ADVERT)


def clean_company(text: str) -> str:
    return _fitting(sanitise.one_line(text), COMPANY_LENGTH, LINK)


def clean_phone(text: str) -> str:
    """Digits, with a + before a country code; empty stays empty."""
    number = re.sub(r"[\s().-]", "", unicodedata.normalize("NFKC", text))
    if number and not PHONE.fullmatch(number):
        raise RuleViolation("bad_phone")
    return number


def clean_email(text: str) -> str:
    """An e-mail address in the form that is stored and compared: lower case, its domain in ASCII."""
    try:
        found = validate_email(text.strip(), check_deliverability=False, allow_smtputf8=False)
    except EmailNotValidError as reason:
        raise RuleViolation("bad_email") from reason
    address = (found.ascii_email or "").lower()
    if not 0 < len(address) <= EMAIL_LENGTH:
        raise RuleViolation("bad_email")
    return address


def clean_language(code: str) -> str:
    if code not in LANGUAGES:
        raise RuleViolation("bad_language")
    return code


def _fitting(text: str, limit: int, banned: re.Pattern[str]) -> str:
    if len(text) > limit:
        raise RuleViolation("too_long", limit=limit)
    if banned.search(unicodedata.normalize("NFKC", text)):
        raise RuleViolation("looks_like_advert")
    return text
