"""Encoding: our picture from an uploaded file, whatever that claims to be."""

import hashlib
import json
import subprocess
import sys
from base64 import b64decode
from pathlib import Path
from typing import NamedTuple

from booking.errors import RuleViolation

MOST_BYTES = 10 * 1024 * 1024  # of an uploaded file
MOST_PIXELS = 50_000_000  # the largest mode of many phones
LEAST = (320, 180)
# Ours, and their most bytes: 200 KB together.
LARGE, MOST_LARGE = (1200, 675), 160_000  # of slot pages, and of chats that a link is shared in
CARD, MOST_CARD = (640, 360), 40_000
NAME_LENGTH = 32
SECONDS = 15
PILLOW = Path(__file__).with_name("pillow_process.py")
WANTED = {"pixels": MOST_PIXELS, "least": LEAST, "sizes": [(LARGE, MOST_LARGE), (CARD, MOST_CARD)]}
HEIF = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")  # ISO/IEC 23008-12, at offset 8
REFUSALS = {
    "pixels": "picture_pixels",
    "small": "picture_small",
    "moves": "picture_moves",
}


class Encoded(NamedTuple):
    """Our JPEGs of one picture."""

    large: bytes
    card: bytes

    @property
    def name(self) -> str:
        return hashlib.sha256(self.large + self.card).hexdigest()[:NAME_LENGTH]


def encode(content: bytes) -> Encoded:
    """Raises the `RuleViolation` that says what is wrong with the file."""
    if len(content) > MOST_BYTES:
        raise RuleViolation("picture_large", limit=MOST_BYTES // 1024 // 1024)
    if content[4:8] == b"ftyp" and content[8:12] in HEIF:
        raise RuleViolation("picture_heic")
    told = _by_pillow(content)
    if "refused" in told:
        raise RuleViolation(
            REFUSALS.get(told["refused"], "bad_picture"),
            width=LEAST[0],
            height=LEAST[1],
            limit=MOST_PIXELS // 1_000_000,
        )
    return Encoded(b64decode(told["large"]), b64decode(told["card"]))


def _by_pillow(content: bytes) -> dict[str, str]:
    command = [sys.executable, "-I", str(PILLOW), json.dumps(WANTED)]
    try:
        # Our own interpreter and script, and nothing of the file in the arguments.
        done = subprocess.run(command, input=content, capture_output=True, timeout=SECONDS, check=True)  # noqa: S603
        told: dict[str, str] = json.loads(done.stdout)
    except (subprocess.SubprocessError, ValueError) as error:
        raise RuleViolation("bad_picture") from error
    return told
