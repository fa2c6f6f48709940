"""Dovecot on ports of its own: an IMAP server as providers run it, with one mailbox."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.support import postgres
from tests.support.imap_server import PASSWORD
from tests.support.network_cast import MONDAY

CONFIG = """
base_dir = {home}/run
log_path = {home}/log
protocols = imap
listen = 127.0.0.1
ssl = yes
ssl_cert = <{home}/cert.pem
ssl_key = <{home}/key.pem
disable_plaintext_auth = no
first_valid_uid = 1
mail_location = maildir:{home}/mail
{users}
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={home}
}}
service imap-login {{
  {chroot}
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
    ssl = yes
  }}
}}
"""


@dataclass
class Dovecot:
    """Its ports, its certificate, and its mailbox."""

    imap: int
    imaps: int
    home: Path
    owner: pwd.struct_passwd

    @property
    def certificate(self) -> str:
        return str(self.home / "cert.pem")

    def put(self, name: str, message: bytes) -> None:
        file = self.home / "mail" / "new" / name
        file.write_bytes(message)
        os.utime(file, (MONDAY.timestamp(), MONDAY.timestamp()))  # when it came in
        os.chown(file, self.owner.pw_uid, self.owner.pw_gid)

    def flags(self) -> dict[str, str]:
        """The flags of each message in Maildir's letters: S is seen, F is flagged."""
        names = [path.name for folder in ("new", "cur") for path in (self.home / "mail" / folder).iterdir()]
        return {name.partition(":2,")[0]: name.partition(":2,")[2] for name in names}


@contextmanager
def running() -> Iterator[Dovecot]:
    """Root's mail is read by nobody, as Dovecot wants it; otherwise all runs as this user."""
    root = os.geteuid() == 0
    owner = pwd.getpwnam("nobody") if root else pwd.getpwuid(os.geteuid())
    with tempfile.TemporaryDirectory() as name:
        server = Dovecot(postgres.free_port(), postgres.free_port(), Path(name), owner)
        _prepare(server, root=root)
        with subprocess.Popen([_program(), "-F", "-c", str(server.home / "conf")]) as process:
            try:
                _wait(server, process)
                yield server
            finally:
                process.terminate()


def _prepare(server: Dovecot, *, root: bool) -> None:
    home, owner = server.home, server.owner
    home.chmod(0o755)
    for folder in ("mail", "mail/new", "mail/cur", "mail/tmp"):
        (home / folder).mkdir()
        os.chown(home / folder, owner.pw_uid, owner.pw_gid)
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    files = [
        "-keyout",
        str(home / "key.pem"),
        "-out",
        str(home / "cert.pem"),
        "-addext",
        "subjectAltName=DNS:localhost",
    ]
    subprocess.run([*made, *files], check=True, capture_output=True)
    mine = f"default_internal_user = {owner.pw_name}\ndefault_login_user = {owner.pw_name}\nservice anvil {{\n  chroot =\n}}"
    text = CONFIG.format(
        home=home,
        imap=server.imap,
        imaps=server.imaps,
        password=PASSWORD,
        uid=owner.pw_uid,
        gid=owner.pw_gid,
        users="" if root else mine,
        chroot="" if root else "chroot =",
    )
    (home / "conf").write_text(text)


def _program() -> str:
    found = shutil.which("dovecot", path=f"{os.environ['PATH']}:/usr/sbin")
    assert found, "make test-all installs dovecot-imapd"
    return found


def _wait(server: Dovecot, process: subprocess.Popen[bytes]) -> None:
    connection = None
    while connection is None:
        assert process.poll() is None, (server.home / "log").read_text()
        with suppress(ConnectionRefusedError):
            connection = socket.create_connection(("127.0.0.1", server.imap), timeout=10)
    with connection:
        assert connection.recv(100).startswith(b"* OK")
