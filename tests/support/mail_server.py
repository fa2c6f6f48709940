"""A real SMTP server with moods: what it does to a letter is chosen by the letter's address."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.support import postgres


@dataclass
class Office:
    """The server's handler: who connected, what came, and how it answers at RCPT and at DATA."""

    at_rcpt: dict[str, str] = field(default_factory=dict)
    at_data: dict[str, str] = field(default_factory=dict)
    came: list[EmailMessage] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    connections: int = 0
    port: int = 0
    # How many more letters it takes before it asks for patience, and how; None is no limit.
    left: int | None = None
    refusal: str = "450 4.7.1 too many letters, slow down"

    async def handle_EHLO(  # noqa: N802 (aiosmtpd's name)
        self, _server: SMTP, session: Session, _envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        self.connections += 1
        return responses

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if answer := self.at_rcpt.get(address):
            return answer
        if self.left == 0:
            return self.refusal
        if self.left is not None:
            self.left -= 1
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.recipients.append(",".join(envelope.rcpt_tos))
        while (mood := self.at_data.get(envelope.rcpt_tos[0], "250 OK")) == "hang":
            await asyncio.sleep(0.01)
        assert isinstance(envelope.content, bytes)
        self.raw.append(envelope.content)
        self.came.append(message_from_bytes(envelope.content, policy=policy.default))  # type: ignore[arg-type]
        if mood == "drop":
            server.transport.abort()
            return ""
        return mood

    async def handle_exception(self, error: Exception) -> str:
        return f"451 {error}"


@contextmanager
def running(**options: Any) -> Iterator[Office]:
    """A server at a free port of this machine."""
    office = Office(port=postgres.free_port())
    controller = Controller(office, hostname="127.0.0.1", port=office.port, **options)
    controller.start()
    try:
        yield office
    finally:
        controller.stop()
