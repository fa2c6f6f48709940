"""A small IMAP server of one mailbox, in this process: as much of RFC 3501 as a reader of bounces needs."""

import re
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

USER, PASSWORD = "lunch@example.com", "secret-of-lunch"


@dataclass
class Mailbox:
    """Its messages by UID, their flags, and what it was asked."""

    messages: dict[int, bytes] = field(default_factory=dict)
    flags: dict[int, set[str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    validity: int = 1
    port: int = 0

    def put(self, message: bytes) -> int:
        uid = max(self.messages, default=0) + 1
        self.messages[uid], self.flags[uid] = message, set()
        return uid

    def fetched(self) -> list[int]:
        """The UIDs of the messages that were read, in order."""
        return [int(one.split()[2]) for one in self.asked if "BODY.PEEK[]" in one]


class Conversation(socketserver.StreamRequestHandler):
    """One connection."""

    server: "Server"

    def handle(self) -> None:
        self.say("* OK ready")
        while line := self.rfile.readline():
            tag, _, command = line.decode().strip().partition(" ")
            self.server.mailbox.asked.append(command)
            name = (
                " ".join(command.split()[:2]).upper()
                if command.upper().startswith("UID")
                else command.split()[0].upper()
            )
            answer = getattr(self, "on_" + name.lower().replace(" ", "_"), self.on_other)(command)
            self.say(f"{tag} {answer or 'OK done'}")
            if name == "LOGOUT":
                return

    def say(self, text: str | bytes) -> None:
        self.wfile.write((text.encode() if isinstance(text, str) else text) + b"\r\n")

    def on_other(self, _command: str) -> str:
        return "OK done"

    def on_capability(self, _command: str) -> None:
        self.say("* CAPABILITY IMAP4rev1 ID")

    def on_login(self, command: str) -> str:
        return "OK done" if command == f'LOGIN {USER} "{PASSWORD}"' else "NO [AUTHENTICATIONFAILED] wrong password"

    def on_select(self, command: str) -> str:
        if "INBOX" not in command:
            return "NO no such mailbox"
        self.say(f"* {len(self.server.mailbox.messages)} EXISTS")
        self.say(f"* OK [UIDVALIDITY {self.server.mailbox.validity}] UIDs valid")
        return "OK [READ-WRITE] done"

    def on_uid_search(self, _command: str) -> None:
        unread = [str(uid) for uid, flags in self.server.mailbox.flags.items() if r"\Seen" not in flags]
        self.say(" ".join(["* SEARCH", *unread]))

    def on_uid_fetch(self, command: str) -> None:
        uid = int(command.split()[2])
        message = self.server.mailbox.messages[uid]
        if "RFC822.SIZE" in command:
            self.say(f"* {uid} FETCH (UID {uid} RFC822.SIZE {len(message)})")
        else:
            self.say(f"* {uid} FETCH (UID {uid} BODY[] {{{len(message)}}}".encode() + b"\r\n" + message + b")")

    def on_uid_store(self, command: str) -> None:
        found = re.search(r"STORE (\d+) \+FLAGS \((.*)\)", command)
        assert found
        self.server.mailbox.flags[int(found[1])] |= set(found[2].split())

    def on_logout(self, _command: str) -> None:
        self.say("* BYE")


class Server(socketserver.ThreadingTCPServer):
    """Listens at a free port of this machine."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Conversation)
        self.mailbox = Mailbox(port=self.server_address[1])


@contextmanager
def running() -> Iterator[Mailbox]:
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.mailbox
        finally:
            server.shutdown()
            thread.join()


def settings(port: int, **changes: Any) -> dict[str, Any]:
    """The settings that lead to it."""
    return {
        "BOUNCES_HOST": "127.0.0.1",
        "BOUNCES_PORT": port,
        "BOUNCES_USERNAME": USER,
        "BOUNCES_PASSWORD": PASSWORD,
        "BOUNCES_TLS": False,
        "BOUNCES_STARTTLS": False,
        "BOUNCES_FOLDER": "INBOX",
        "BOUNCES_TIMEOUT": 10,
    } | changes
