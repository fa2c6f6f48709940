"""Public values, as people write them: the 20 numbers of 快乐8, hexadecimal digits, a number with its decimals.

Each is read into the one text that goes into the seed of a draw, whoever typed it and however.
"""

import re
from typing import Any

from booking import sanitise

KL8_COUNT, KL8_HIGHEST = 20, 80
HEX_DIGITS, DIGITS = (8, 128), (4, 40)
_BETWEEN = re.compile(r"[\s,;:、/|+.。-]+")


class Misshapen(Exception):
    """The text is no such value: what is wrong with it, and the numbers that a sentence about it needs."""

    def __init__(self, fault: str, **details: Any) -> None:
        super().__init__(fault)
        self.fault, self.details = fault, details


def read(kind: str, text: str) -> str:
    """The value in its one form. Raises `Misshapen`."""
    folded = sanitise.plain(text).casefold()
    if not folded:
        raise Misshapen("empty")
    return {"kl8": _kl8, "hex": _hex, "digits": _digits}[kind](folded)


def _kl8(text: str) -> str:
    """Twenty different numbers from 1 to 80, in ascending order: 01 07 12 ..."""
    words = [word for word in _BETWEEN.split(text) if word]
    if len(words) == 1 and len(text) == 2 * KL8_COUNT:
        words = re.findall("..", text)
    if bad := next((word for word in words if not (word.isascii() and word.isdigit())), None):
        raise Misshapen("kl8_letters", word=bad[:20])
    if outside := next((word for word in words if not 1 <= int(word[:9]) <= KL8_HIGHEST), None):
        raise Misshapen("kl8_range", word=outside[:20])
    numbers = [int(word) for word in words]
    if twice := next((number for place, number in enumerate(numbers) if number in numbers[:place]), None):
        raise Misshapen("kl8_twice", number=twice)
    if len(numbers) != KL8_COUNT:
        raise Misshapen("kl8_count", count=len(numbers))
    return " ".join(f"{number:02}" for number in sorted(numbers))


def _hex(text: str) -> str:
    """Hexadecimal digits in lower case, without spaces and 0x."""
    digits = re.sub(r"[\s:-]+", "", text).removeprefix("0x")
    if bad := re.search("[^0-9a-f]", digits):
        raise Misshapen("hex_letters", word=bad[0])
    return _long(digits, digits, HEX_DIGITS)


def _digits(text: str) -> str:
    """A number as it was published, with its decimals; without spaces, and commas between thousands."""
    number = re.sub(r"[\s,]+", "", text)
    if not re.fullmatch(r"[0-9]+(\.[0-9]+)?", number):
        raise Misshapen("digits_letters")
    return _long(number, number.replace(".", ""), DIGITS)


def _long(value: str, digits: str, limits: tuple[int, int]) -> str:
    if not limits[0] <= len(digits) <= limits[1]:
        raise Misshapen("length", count=len(digits), low=limits[0], high=limits[1])
    return value
