"""Sanitising: text that people typed, as it will be shown. Every form, command, sheet and letter uses it."""

import re
import unicodedata
from functools import lru_cache

# Control characters, surrogates and noncharacters; characters that only control how others are shown (bidi among them);
# and invisible letters. A list, not a category: older Unicode tables call the newest ideographs of names unassigned.
_NONCHARACTERS = "\ufdd0-\ufdef" + "".join(
    chr(plane + 0xFFFE) + chr(plane + 0xFFFF) for plane in range(0, 0x110000, 0x10000)
)
_HIDDEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u2800\u3164\ud800-\udfff\ufeff\uffa0\ufff0-\ufffb\U00013430-\U0001343f\U0001bca0-\U0001bca3"
    f"\U0001d173-\U0001d17a\U000e0000-\U000e007f{_NONCHARACTERS}]"
)
# What keyboards, chats and documents add to a value: variation selectors, keycaps, the place of a picture; their dashes.
_DECORATION = re.compile("[\u180b-\u180d\u180f\u20e3\ufe00-\ufe0f\ufffc\U000e0100-\U000e01ef]")
_LABEL = re.compile("^[^@:<>]*:(?!//)")
_NAMED = re.compile(r"^[^@<>]*<([^<>]+)>[^\w@<]*$")
_AROUND = " <>()[]\"'“”‘’。.,;、!?"
_DASHES = re.compile("[\u2010-\u2015\u2043\u2212\ufe58]")


def is_visible(text: str) -> bool:
    """Whether the text is one line without control characters and the like."""
    return not _HIDDEN.search(text) and "".join(text.splitlines()) == text


def one_line(text: str) -> str:
    """`text` on one line, with single spaces and without invisible characters."""
    seen = _HIDDEN.sub("", " ".join(text.split()))
    return unicodedata.normalize("NFC", " ".join(seen.split()))


def lines(text: str) -> str:
    """The same for a longer text: its line breaks stay, empty lines around it do not."""
    found = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "\n".join(one_line(line) for line in found).strip("\n")


def plain(text: str) -> str:
    """A typed or pasted value (a number, a date, a code, an address) on one line, in the plain forms of its characters."""
    folded = _DASHES.sub("-", unicodedata.normalize("NFKC", text))
    return one_line(_DECORATION.sub("", folded))


def bare(text: str) -> str:
    """A pasted address or number without its label (`mailto:`, 手机：), the name before it, and what ends the sentence."""
    value = _LABEL.sub("", plain(text)).strip()
    return _NAMED.sub(r"\1", value).strip(_AROUND)


@lru_cache(4096)
def name_key(text: str) -> str:
    """What names are compared by: width, case and spaces do not tell two of them apart."""
    return plain(text).casefold().replace(" ", "")
