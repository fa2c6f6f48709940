"""The talk with a mail server: many letters over one connection, in as few packets as it allows (RFC 2920).

Where the server takes several commands at once, an envelope goes in one packet, and in the packet of the body before
it. So a letter costs one wait, for the answer to its body; the answers to its envelope have come by then.
"""

import re
import smtplib
from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple

# What an address looks like in which nothing needs quoting.
PLAIN = re.compile(r"[A-Za-z0-9._+-]+@[A-Za-z0-9.-]+")
# What is said, and the answers that mean yes.
Line = tuple[bytes, set[int]]


class Envelope(NamedTuple):
    """What is said of a letter before its body, whose size is in bytes."""

    sender: str
    to: str
    size: int


class Talk:
    """One connection, greeted and signed in."""

    def __init__(self, smtp: smtplib.SMTP) -> None:
        self._smtp = smtp
        self._announced: Envelope | None = None

    @property
    def over(self) -> bool:
        """Whether the server has hung up, or has said that it will (421)."""
        return self._smtp.sock is None

    def expects_another(self, envelope: Envelope) -> bool:
        """Whether another letter than this was announced; now there is no way back but to hang up."""
        return self._announced not in (None, envelope)

    def hand_over(self, envelope: Envelope, message: bytes, following: Envelope | None = None) -> None:
        """As smtplib's `sendmail`. Raises the first answer that refuses.

        `following` is announced where the server allows it.
        """
        self._smtp.ehlo_or_helo_if_needed()
        if refused := self._offered(envelope):
            self._begin_anew(refused)
            raise refused
        ahead = self._announcement(following)
        self._announced = following if ahead else None
        self._smtp.send(b"%s.\r\n%s" % (message.replace(b"\n.", b"\n.."), ahead))
        code, said = self._smtp.getreply()
        if code != 250:
            refused = smtplib.SMTPDataError(code, said)
            self._begin_anew(refused)
            raise refused

    def close(self) -> None:
        """Take leave, but not of a server that waits for a body: it would take that for the body."""
        if self._announced is None:
            with suppress(OSError, smtplib.SMTPException):
                self._smtp.quit()
        self._smtp.close()

    def _offered(self, envelope: Envelope) -> smtplib.SMTPResponseException | None:
        """The first answer that refuses the envelope, if one does."""
        lines = self._lines(envelope)
        if self._announced is not None:
            return self._heard(lines)
        for group in [lines] if self._pipelines() else [[line] for line in lines]:
            self._smtp.send(_joined(group))
            if refused := self._heard(group):
                return refused
        return None

    def _heard(self, lines: Sequence[Line]) -> smtplib.SMTPResponseException | None:
        """Hear the answers to all these lines."""
        refused = None
        for line, good in lines:
            code, said = self._smtp.getreply()
            if code not in good:
                refused = refused or _refusal(line, code, said)
            if code == 421:  # nothing more will be said
                return smtplib.SMTPResponseException(code, said)
        if refused and code == 354:  # it waits for a body that has nowhere to go
            self._smtp.send(b".\r\n")
            self._smtp.getreply()
        self._announced = None
        return refused

    def _begin_anew(self, refused: smtplib.SMTPResponseException) -> None:
        """After a refusal, unless the next letter has begun already."""
        if refused.smtp_code == 421:
            self._smtp.close()
        elif self._announced is None:
            with suppress(smtplib.SMTPServerDisconnected):
                self._smtp.rset()

    def _announcement(self, following: Envelope | None) -> bytes:
        """What begins the next letter; nothing for one that cannot be said at all, which is its own trouble."""
        if following is None or not self._pipelines():
            return b""
        try:
            return _joined(self._lines(following))
        except ValueError:
            return b""

    def _lines(self, envelope: Envelope) -> list[Line]:
        """Raises ValueError for an address that cannot be said."""
        size = f" size={envelope.size}" if self._smtp.has_extn("size") else ""
        return [
            (f"MAIL FROM:{_bare(envelope.sender)}{size}\r\n".encode("ascii"), {250}),
            (f"RCPT TO:{_bare(envelope.to)}\r\n".encode("ascii"), {250, 251}),
            (b"DATA\r\n", {354}),
        ]

    def _pipelines(self) -> bool:
        return self._smtp.has_extn("pipelining")


def _refusal(line: bytes, code: int, said: bytes) -> smtplib.SMTPResponseException:
    """As smtplib's `sendmail`: at MAIL it is the sender who is refused."""
    if line.startswith(b"MAIL"):
        return smtplib.SMTPSenderRefused(code, said, "")
    return smtplib.SMTPResponseException(code, said)


def _joined(lines: Sequence[Line]) -> bytes:
    return b"".join([said for said, _ in lines])


def _bare(address: str) -> str:
    """The address in angle brackets. ValueError when it would break out of its line."""
    if PLAIN.fullmatch(address):
        return f"<{address}>"
    if "\r" in address or "\n" in address:
        raise ValueError("a line end in an address")
    return smtplib.quoteaddr(address)
