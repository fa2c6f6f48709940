"""Handing one message over: to a mail server, or to a folder of .eml files.

Either way the answer is: taken, `Rejected` (never again), `PutOff` (again later), or one that lets nothing else be sent
now either: `SenderRefused` (it is about us) or `Unreachable` (nobody answers).
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
from booking.mail.smtp_replies import ABOUT_US, FINAL, Meaning, Stage, classify, readable
from booking.mail.talk import Envelope, Talk


class Refusal(Exception):
    """A letter was not taken, and what that means."""

    def __init__(self, said: str, meaning: Meaning = Meaning.UNCLEAR) -> None:
        super().__init__(said)
        self.meaning = meaning


class Rejected(Refusal):
    """The server will not take this message, ever."""


class PutOff(Refusal):
    """Not now. It may even have been taken: a connection lost after DATA leaves that open."""


class SenderRefused(PutOff):
    """The server takes nothing from us now: too much was sent, or the settings are wrong."""


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
            if error.smtp_code < 400:  # no answer to what was said: who knows what the next one answers
                self.close()
            raise _refusal(error) from error
        except (OSError, smtplib.SMTPException) as error:
            self.close()
            raise PutOff(f"{type(error).__name__}: {error}") from error
        except ValueError as error:  # an address that SMTP cannot carry; nothing of it was said
            raise Rejected(f"{type(error).__name__}: {error}", Meaning.ADDRESS) from error
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
        except smtplib.SMTPResponseException as error:
            raise _refusal(error, Stage.SESSION) from error
        except (OSError, smtplib.SMTPException) as error:
            said = f"{type(error).__name__}: {error}"
            raise (SenderRefused(said, Meaning.SETUP) if _is_setup(error) else Unreachable(said)) from error
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


def _refusal(error: smtplib.SMTPResponseException, stage: Stage = Stage.LETTER) -> Refusal:
    """What the server's answer means."""
    if isinstance(error, smtplib.SMTPHeloError):
        stage = Stage.SESSION
    elif isinstance(error, smtplib.SMTPSenderRefused):
        stage = Stage.SENDER
    meaning = classify(error.smtp_code, error.smtp_error, stage)
    kind = Rejected if meaning in FINAL else SenderRefused if meaning in ABOUT_US else PutOff
    return kind(f"{error.smtp_code} {readable(error.smtp_error)}", meaning)


def _is_setup(error: Exception) -> bool:
    """Whether the settings do not fit the server: its certificate, or STARTTLS and signing in, which it does not offer."""
    if isinstance(error, ssl.SSLError):
        return not isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError)
    return isinstance(error, smtplib.SMTPException) and not isinstance(error, smtplib.SMTPServerDisconnected)
