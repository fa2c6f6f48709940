"""Mail servers: Postfix, Exim and OpenSMTPD as Debian packages them, on loopback.

Their packages exclude each other, and want users, and files all over the system. So each is unpacked into a folder, and
runs where this folder lies over /usr and /etc: in a mount namespace, of which the machine sees nothing. Needs root.
"""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.support import memory, postgres, servers

HOST = "mail.example.test"
USER, PASSWORD = "lunch", "right"
# The mailboxes of example.com, which all are one folder.
READERS = ("lunch", "lin", *(f"a{n}" for n in range(200)), *(f"person{n}" for n in range(20)))
OWNER = os.geteuid() or 5000  # of the mailbox
PATIENCE = 60  # seconds
AS_ROOT = [] if os.geteuid() == 0 else ["sudo", "-n"]
# All that it has begun ends with it, even when it is killed.
ALONE = ["setpriv", "--pdeathsig", "KILL", "unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
# In the namespace /srv is the folder of the run: `etc` is copied into /etc, `spool` is /var/spool, `box` the mailbox.
BEGIN = """
set -e
tree=$1 users=$2 owner=$3
mount -t tmpfs none /mnt
mkdir /mnt/upper /mnt/work
mount -t overlay overlay -o "lowerdir=$tree/usr:/usr" /usr
mount -t overlay overlay -o "lowerdir=$tree/etc:/etc,upperdir=/mnt/upper,workdir=/mnt/work" /etc
mount -t tmpfs none /run  # two of a kind may run at the same time
mount --bind . /srv
mount --bind /srv/spool /var/spool
cp -r /srv/etc/. /etc
cd /
for name in $users; do groupadd -rf "$name"; useradd -r -g "$name" -d /nonexistent -s /usr/sbin/nologin "$name"; done
useradd -o -u "$owner" -d /nonexistent -s /usr/sbin/nologin lunch
"""


@dataclass(frozen=True)
class Kind:
    """A mail server. `features` are pieces of its configuration by names that all kinds share."""

    name: str
    packages: tuple[str, ...]
    users: tuple[str, ...]
    begin: str  # shell, in the namespace
    features: Mapping[str, str]
    files: Callable[[int, str], dict[str, str]]  # from the port, and the pieces that are wanted
    queue: str  # the files of what has been taken and not delivered

    def __str__(self) -> str:
        return self.name


def unpack(packages: Sequence[str], folder: Path) -> Path:
    """These packages, and what they need and the machine has not, as one tree."""
    simulated = subprocess.run(
        ["apt-get", "install", "--simulate", "--no-install-recommends", *packages],
        check=True,
        capture_output=True,
        text=True,
    )
    names = {line.split()[1] for line in simulated.stdout.splitlines() if line.startswith("Inst ")} | set(packages)
    as_root = ["-o", "APT::Sandbox::User=root"]  # its own user may not write to our folder
    subprocess.run(["apt-get", "download", "-qq", *as_root, *sorted(names)], check=True, cwd=folder)
    tree = folder / "tree"
    for package in folder.glob("*.deb"):
        subprocess.run(["dpkg-deb", "-x", package, tree], check=True)
    (tree / "etc").mkdir(exist_ok=True)
    if (tree / "lib").exists():  # a link to /usr/lib on the machine
        shutil.copytree(tree / "lib", tree / "usr" / "lib", symlinks=True, dirs_exist_ok=True)
    return tree


class Running:
    """A server with its mailbox."""

    def __init__(self, kind: Kind, tree: Path, folder: Path, features: Sequence[str]) -> None:
        self.kind, self.tree, self.folder, self.port = kind, tree, folder, postgres.free_port()
        self._process: subprocess.Popen[bytes] | None = None
        for name in ("etc", "spool", "box", "tls"):
            (folder / name).mkdir()
        folder.chmod(0o755)
        (folder / "box").chmod(0o777)
        pieces = "\n".join(kind.features[feature] for feature in features)
        for name, text in kind.files(self.port, pieces).items():
            path = folder / "etc" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    @property
    def log(self) -> str:
        return "".join(path.read_text(errors="replace") for path in sorted(self.folder.glob("*log")))

    def start(self) -> None:
        script = ["bash", "-c", BEGIN + self.kind.begin, "bash", str(self.tree), " ".join(self.kind.users), str(OWNER)]
        with (self.folder / "log").open("ab") as said:
            self._process = subprocess.Popen(
                [*AS_ROOT, *ALONE, *script],
                cwd=self.folder,
                stdout=said,
                stderr=said,
                start_new_session=True,
            )
        self._wait_until_it_listens(self._process)

    def stop(self) -> None:
        """Ask the first process of its namespace to end, as an init system does."""
        if self._process is not None and self._process.poll() is None:
            pid = self._process.pid
            while Path(f"/proc/{pid}/comm").read_text().strip() in ("sudo", "setpriv", "unshare"):
                (pid,) = servers.children(pid)
            subprocess.run([*AS_ROOT, "kill", "-TERM", str(pid)], check=True)
            try:
                self._process.wait(PATIENCE)
            except subprocess.TimeoutExpired:  # it had not got as far as to listen to us
                self._process.kill()
                raise

    def settle(self) -> None:
        """Wait until all is delivered: a server that is stopped over a delivery may begin it again."""
        self._wait(lambda: not list((self.folder / "spool").glob(self.kind.queue)))

    def letters(self, count: int) -> list[bytes]:
        """What has been delivered, as soon as it is so many."""
        arrived = partial((self.folder / "box" / "new").glob, "*")
        self._wait(lambda: len(list(arrived())) >= count)
        self.settle()
        return [path.read_bytes() for path in arrived()]

    def _wait(self, over: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not over():
            assert time.monotonic() < deadline, self.log
            time.sleep(0.02)

    def _wait_until_it_listens(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and process.poll() is None:
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port)):
                return
            time.sleep(0.02)
        raise RuntimeError(f"{self.kind} did not start:\n{self.log}")


@contextmanager
def running(kind: Kind, tree: Path, *features: str, certificate: Path | None = None) -> Iterator[Running]:
    with memory.folder() as folder:
        server = Running(kind, tree, folder, features)
        if certificate:
            shutil.copy(certificate, folder / "tls" / "mail.pem")
            shutil.copy(certificate.with_suffix(".key"), folder / "tls" / "mail.key")
        try:
            server.start()
            yield server
        finally:
            server.stop()
