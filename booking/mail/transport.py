"""Transport: hands one message over to a mail server, or to a folder of .eml files.

A message is accepted, or refused in one of four ways: `Rejected` (final), `PutOff` (try again later), and two that
concern every other message as well: `SenderRefused` (the server refuses this sender) and `Unreachable` (no answer).
"""

import selectors
import smtplib
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from email.parser import BytesHeaderParser
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, Protocol

from booking.mail import links
from booking.mail.smtp_replies import ABOUT_US, FINAL, Meaning, Stage, classify, readable


class Refusal(Exception):
    """A message was not accepted; `meaning` classifies the answer."""

    def __init__(self, said: str, meaning: Meaning = Meaning.UNCLEAR) -> None:
        super().__init__(said)
        self.meaning = meaning


class Rejected(Refusal):
    """The server will never accept this message."""


class PutOff(Refusal):
    """Not now. After a connection lost behind DATA it may nevertheless have been accepted."""


class SenderRefused(PutOff):
    """The server accepts nothing from this sender now: a limit was reached, or the settings are wrong."""


class Unreachable(PutOff):
    """No server answers as expected."""


class Transport(Protocol):
    """Where messages are handed over."""

    def connect(self) -> None:
        """Open the connection, if there is none; raises `Unreachable` or `SenderRefused`."""

    def send(self, sender: str, to: str, message: bytes) -> None:
        """Hand one message over to one recipient; raises a `Refusal`."""


@contextmanager
def opened(settings: Mapping[str, Any]) -> Iterator[Transport]:
    """The transport that the settings name. Its one connection is opened when first needed and used for all messages."""
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

    def connect(self) -> None:
        """The first letter makes the folder."""

    def send(self, sender: str, to: str, message: bytes) -> None:  # noqa: ARG002 (signature of Transport)
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
    """A mail server, with one connection at a time."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self.settings = settings
        self._smtp: smtplib.SMTP | None = None
        self._used = False  # whether this connection has been offered a letter

    def connect(self) -> None:
        self._connected()

    def send(self, sender: str, to: str, message: bytes) -> None:
        if not to.isascii():  # no account has one; few servers could pass it on (SMTPUTF8)
            raise Rejected("the address has characters that are not in ASCII", Meaning.ADDRESS)
        try:
            self._hand_over(sender, to, message)
        except smtplib.SMTPRecipientsRefused as error:
            raise self._refused(_of_recipient(error)) from error
        except smtplib.SMTPResponseException as error:
            raise self._refused(error) from error
        except ValueError as error:  # an address that SMTP cannot carry
            self.close()
            raise Rejected(f"{type(error).__name__}: {error}", Meaning.ADDRESS) from error
        except OSError as error:  # smtplib's own errors are OSErrors
            self.close()
            raise PutOff(f"{type(error).__name__}: {error}") from error

    def _hand_over(self, sender: str, to: str, message: bytes) -> None:
        """Servers end a session after so many letters, refusals or idle seconds: the letter goes over a new one then."""
        used = self._is_open() and self._used
        try:
            self._offer(sender, to, message)
        except (smtplib.SMTPRecipientsRefused, smtplib.SMTPResponseException) as error:
            if not used or not _ends_session(error):
                raise
            self.close()
            self._offer(sender, to, message)

    def _offer(self, sender: str, to: str, message: bytes) -> None:
        smtp, self._used = self._connected(), True
        smtp.sendmail(sender, [to], message)

    def close(self) -> None:
        smtp, self._smtp = self._smtp, None
        if smtp is not None:
            with suppress(OSError):
                smtp.quit()
            smtp.close()

    def _refused(self, error: smtplib.SMTPResponseException) -> Refusal:
        """What the answer means; the connection is made ready for the next message, or closed."""
        if error.smtp_code < 400:  # no answer to what was said: the next one might not be either
            self.close()
        elif self._smtp and isinstance(error, smtplib.SMTPDataError):  # after a refused DATA, smtplib sends no RSET
            with suppress(OSError):
                self._smtp.rset()
        return _refusal(error)

    def _is_open(self) -> bool:
        """Whether the last letter's connection may be used. What a server says between two letters is that it is over."""
        if self._smtp is None or self._smtp.sock is None:
            return False
        with selectors.DefaultSelector() as waiting:
            waiting.register(self._smtp.sock, selectors.EVENT_READ)
            over = bool(waiting.select(timeout=0))
        if over:
            self.close()
        return not over

    def _connected(self) -> smtplib.SMTP:
        if self._smtp and self._smtp.sock:
            return self._smtp
        try:
            self._smtp, self._used = self._open(), False
        except smtplib.SMTPResponseException as error:
            raise _refusal(error, Stage.SESSION) from error
        except OSError as error:
            said = f"{type(error).__name__}: {error}"
            raise (SenderRefused(said, Meaning.SETUP) if _is_setup(error) else Unreachable(said)) from error
        return self._smtp

    def _open(self) -> smtplib.SMTP:
        where: dict[str, Any] = {
            "host": self.settings["MAIL_HOST"],
            "port": self.settings["MAIL_PORT"],
            "timeout": self.settings["MAIL_TIMEOUT"],
            "local_hostname": links.host(),  # else smtplib asks the DNS for our name
        }
        trusted = tls_context(self.settings)
        smtp = smtplib.SMTP_SSL(**where, context=trusted) if self.settings["MAIL_TLS"] else smtplib.SMTP(**where)
        try:
            if self.settings["MAIL_STARTTLS"]:
                smtp.starttls(context=trusted)
            if self.settings["MAIL_USERNAME"]:
                smtp.login(self.settings["MAIL_USERNAME"], self.settings["MAIL_PASSWORD"])
        except BaseException:
            smtp.close()
            raise
        return smtp


def _of_recipient(error: smtplib.SMTPRecipientsRefused) -> smtplib.SMTPResponseException:
    """The answer about the only recipient."""
    ((code, reply),) = error.recipients.values()
    return smtplib.SMTPResponseException(code, reply)


def _ends_session(error: smtplib.SMTPRecipientsRefused | smtplib.SMTPResponseException) -> bool:
    """Whether the server takes nothing more over this connection: 421, and a temporary refusal before any recipient."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return _of_recipient(error).smtp_code == 421
    before = isinstance(error, smtplib.SMTPSenderRefused)
    return error.smtp_code == 421 or (before and 400 <= error.smtp_code < 500)


def _refusal(error: smtplib.SMTPResponseException, stage: Stage = Stage.LETTER) -> Refusal:
    """The refusal that the server's answer stands for."""
    if isinstance(error, smtplib.SMTPHeloError):
        stage = Stage.SESSION
    elif isinstance(error, smtplib.SMTPSenderRefused):
        stage = Stage.SENDER
    meaning = classify(error.smtp_code, error.smtp_error, stage)
    kind = Rejected if meaning in FINAL else SenderRefused if meaning in ABOUT_US else PutOff
    return kind(f"{error.smtp_code} {readable(error.smtp_error)}", meaning)


def _is_setup(error: Exception) -> bool:
    """Whether the settings do not fit the server: its certificate, or a missing STARTTLS or AUTH."""
    if isinstance(error, ssl.SSLError):
        return not isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError)
    return isinstance(error, smtplib.SMTPException) and not isinstance(error, smtplib.SMTPServerDisconnected)


def tls_context(settings: Mapping[str, Any]) -> ssl.SSLContext:
    """What is trusted of a mail server, of whatever protocol: the system's CAs, or those of MAIL_CA."""
    return ssl.create_default_context(cafile=settings.get("MAIL_CA"))
