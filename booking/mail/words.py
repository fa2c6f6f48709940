"""What other people typed, made safe to stand in a letter; and the name of a station's time."""

import re
import unicodedata
from zoneinfo import ZoneInfo

from babel.dates import get_timezone_name
from flask_babel import get_locale

from booking.model import Station

# Control, format (bidi among them), surrogate and unassigned characters, line and paragraph ends.
UNSEEN = {"Cc", "Cf", "Cs", "Cn", "Co", "Zl", "Zp"}
ADDRESS = re.compile(r"\S*(?:://|www\.|@|＠)\S*|[\w.-]*\w[.。．]\w{2,}\S*", re.IGNORECASE)
LONGEST_NAME = 20


def one_line(text: str) -> str:
    """`text` on one line, without characters that nobody sees."""
    seen = "".join(" " if unicodedata.category(c) in UNSEEN else c for c in text)
    return " ".join(seen.split())


def plain_name(name: str) -> str:
    """A name that no mail program turns into a link: addresses in it are left out, its length is capped."""
    return one_line(ADDRESS.sub("", one_line(name)))[:LONGEST_NAME].strip()


def zone_words(station: Station) -> str:
    """中国时间: the name of the time that the station's clock shows."""
    return get_timezone_name(ZoneInfo(station.zone_name), locale=get_locale())
