"""Language of a browser: its cookie, else what it asks for, else Chinese."""

from functools import lru_cache

from werkzeug.datastructures import LanguageAccept
from werkzeug.http import parse_accept_header

from booking.model import LANGUAGES

ASKED_FOR = {"zh": "zh_Hans_CN", "en": "en"}
USUAL = 100  # characters of a header that is worth keeping


def of_browser(cookie: str | None, accepts: str) -> str:
    """One of LANGUAGES, from the language cookie's value and the header Accept-Language."""
    if cookie in LANGUAGES:
        return str(cookie)
    return _known(accepts) if len(accepts) <= USUAL else _asked_for(accepts)


def _asked_for(accepts: str) -> str:
    asked = (tag.lower().partition("-")[0] for tag, _quality in parse_accept_header(accepts, LanguageAccept))
    return next((ASKED_FOR[word] for word in asked if word in ASKED_FOR), LANGUAGES[0])


_known = lru_cache(256)(_asked_for)
