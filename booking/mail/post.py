"""Handing one message over: to a mail server, or to a folder of .eml files.

Either way the answer is: taken, `Rejected` (never again), `PutOff` (again later) or `Unreachable`
(nobody answers, so nothing else can be sent now either).
"""

import smtplib
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from email.parser import BytesHeaderParser
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, Protocol

from booking.mail import links
from booking.mail.talk import Envelope, Talk

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

    def send(self, envelope: Envelope, message: bytes, following: Envelope | None = None) -> None:
        """Hand one over. The server may be told already what is `following`, which may still be left unsent."""


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

    def send(self, envelope: Envelope, message: bytes, following: Envelope | None = None) -> None:  # noqa: ARG002 (Post's signature)
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
        self.talk: Talk | None = None

    def reach(self) -> None:
        if self.talk is None:
            self._connect()

    def send(self, envelope: Envelope, message: bytes, following: Envelope | None = None) -> None:
        if self.talk and self.talk.expects_another(envelope):
            self.close()
        talk = self.talk or self._connect()
        try:
            talk.hand_over(envelope, message, following)
        except smtplib.SMTPResponseException as error:
            _judge(error.smtp_code, error.smtp_error, error)
        except (OSError, smtplib.SMTPException) as error:
            self.close()
            raise PutOff(f"{type(error).__name__}: {error}") from error
        except ValueError as error:  # an address that SMTP cannot carry; nothing of it was said
            raise Rejected(f"{type(error).__name__}: {error}") from error
        finally:
            if talk.over:  # a 421, or the server hung up
                self.talk = None

    def close(self) -> None:
        talk, self.talk = self.talk, None
        if talk is not None:
            talk.close()

    def _connect(self) -> Talk:
        try:
            self.talk = Talk(self._open())
        except (OSError, smtplib.SMTPException) as error:
            raise Unreachable(f"{type(error).__name__}: {error}") from error
        return self.talk

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


def _judge(code: int, said: bytes | str, error: Exception) -> None:
    """Raise what the server's answer means."""
    words = said.decode(errors="replace") if isinstance(said, bytes) else said
    final = 500 <= code < 600 and code not in OUR_FAULT
    raise (Rejected if final else PutOff)(f"{code} {words}") from error
