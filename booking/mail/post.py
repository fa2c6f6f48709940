"""Handing one message over: to a mail server, or to a folder of .eml files.

Either way the answer is: taken, `Rejected` (never again), `PutOff` (again later) or `Unreachable`
(nobody answers, so nothing else can be sent now either).
"""

import re
import smtplib
import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from email.parser import BytesHeaderParser
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, Protocol

from booking.mail import links

# What an address looks like in which nothing needs quoting.
PLAIN = re.compile(r"[A-Za-z0-9._+-]+@[A-Za-z0-9.-]+")
# Answers about us, not about the letter: signing in is missing or wrong. Mending the settings mends them.
OUR_FAULT = {530, 534, 535, 538}


class Rejected(Exception):
    """The server will not take this message, ever."""


class PutOff(Exception):
    """Not now. It may even have been taken: a connection lost after DATA leaves that open."""


class Unreachable(PutOff):
    """No server answers as it should."""


class Post(Protocol):
    """Where messages go."""

    def reach(self) -> None:
        """Open the way; raises `Unreachable`."""

    def send(self, sender: str, to: str, message: bytes) -> None: ...


@contextmanager
def opened(settings: Mapping[str, Any]) -> Iterator[Post]:
    """The post that the settings name. Its one connection is opened when it is first reached, and used for all."""
    if settings["MAIL_HOST"] is None:
        yield Folder(Path(settings["MAIL_FOLDER"]))
        return
    server = Server(settings)
    try:
        yield server
    finally:
        server.close()


class Folder:
    """Letters as files, for development. A second try writes the same file again."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def reach(self) -> None:
        """A folder is made by the first letter."""

    def send(self, sender: str, to: str, message: bytes) -> None:  # noqa: ARG002 (Post's signature)
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            head = BytesHeaderParser().parsebytes(message)
            when = parsedate_to_datetime(head["Date"]).strftime("%Y%m%d-%H%M%S")
            name = head["Message-ID"].strip("<>").partition("@")[0]
            draft = self.path / f".{name}"
            draft.write_bytes(message)
            draft.replace(self.path / f"{when}-{name}.eml")
        except OSError as error:
            raise Unreachable(f"cannot write to the mail folder: {error}") from error


class Server:
    """A mail server, spoken to over one connection at a time."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self.settings = settings
        self.connection: smtplib.SMTP | None = None

    def reach(self) -> None:
        if self.connection is None:
            self._connect()

    def send(self, sender: str, to: str, message: bytes) -> None:
        connection = self.connection or self._connect()
        try:
            _hand_over(connection, sender, to, message)
        except smtplib.SMTPResponseException as error:
            _judge(error.smtp_code, error.smtp_error, error)
        except (OSError, smtplib.SMTPException) as error:
            self.close()
            raise PutOff(f"{type(error).__name__}: {error}") from error
        except ValueError as error:  # an address that SMTP cannot carry; the talk stopped in the middle of it
            self.close()
            raise Rejected(f"{type(error).__name__}: {error}") from error
        finally:
            if connection.sock is None:  # a 421, or the server hung up
                self.connection = None

    def close(self) -> None:
        connection, self.connection = self.connection, None
        if connection is not None:
            with suppress(OSError, smtplib.SMTPException):
                connection.quit()
            connection.close()

    def _connect(self) -> smtplib.SMTP:
        try:
            self.connection = self._open()
        except (OSError, smtplib.SMTPException) as error:
            raise Unreachable(f"{type(error).__name__}: {error}") from error
        return self.connection

    def _open(self) -> smtplib.SMTP:
        where: dict[str, Any] = {
            "host": self.settings["MAIL_HOST"],
            "port": self.settings["MAIL_PORT"],
            "timeout": self.settings["MAIL_TIMEOUT"],
            "local_hostname": links.host(),  # else smtplib asks the DNS who we are
        }
        trusted = ssl.create_default_context()
        connection = smtplib.SMTP_SSL(**where, context=trusted) if self.settings["MAIL_TLS"] else smtplib.SMTP(**where)
        try:
            if self.settings["MAIL_STARTTLS"]:
                connection.starttls(context=trusted)
            if self.settings["MAIL_USERNAME"]:
                connection.login(self.settings["MAIL_USERNAME"], self.settings["MAIL_PASSWORD"])
        except BaseException:
            connection.close()
            raise
        return connection


def _hand_over(talk: smtplib.SMTP, sender: str, to: str, message: bytes) -> None:
    """As smtplib's `sendmail`, in fewer packets and looks at the body. Raises the first answer that refuses."""
    talk.ehlo_or_helo_if_needed()
    size = f" size={len(message)}" if talk.has_extn("size") else ""
    lines = [(f"MAIL FROM:{_bare(sender)}{size}", {250}), (f"RCPT TO:{_bare(to)}", {250, 251}), ("DATA", {354})]
    refused = _converse(talk, lines)
    if refused is None:
        talk.send(b"%s.\r\n" % message.replace(b"\n.", b"\n.."))
        code, said = talk.getreply()
        if code == 250:
            return
        refused = smtplib.SMTPDataError(code, said)
    if refused.smtp_code == 421:
        talk.close()
    else:
        with suppress(smtplib.SMTPServerDisconnected):
            talk.rset()
    raise refused


def _converse(talk: smtplib.SMTP, lines: Sequence[tuple[str, set[int]]]) -> smtplib.SMTPResponseException | None:
    """Say these lines, in one packet where the server lets us (RFC 2920), and hear every answer. Gives the first refusal."""
    refused = None
    for group in [lines] if talk.has_extn("pipelining") else [[line] for line in lines]:
        talk.send("".join([f"{line}\r\n" for line, _ in group]).encode("ascii"))
        for _, good in group:
            code, said = talk.getreply()
            if code not in good:
                refused = refused or smtplib.SMTPResponseException(code, said)
            if code == 421:  # nothing more will be said
                return smtplib.SMTPResponseException(code, said)
        if refused and code == 354:  # it waits for a body that has nowhere to go
            talk.send(b".\r\n")
            talk.getreply()
        if refused:
            break
    return refused


def _bare(address: str) -> str:
    """The address in angle brackets. ValueError when it would break out of its line."""
    if PLAIN.fullmatch(address):
        return f"<{address}>"
    if "\r" in address or "\n" in address:
        raise ValueError("a line end in an address")
    return smtplib.quoteaddr(address)


def _judge(code: int, said: bytes | str, error: Exception) -> None:
    """Raise what the server's answer means."""
    words = said.decode(errors="replace") if isinstance(said, bytes) else said
    final = 500 <= code < 600 and code not in OUR_FAULT
    raise (Rejected if final else PutOff)(f"{code} {words}") from error
