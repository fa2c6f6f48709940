"""nginx with the project's own site, on free ports of this machine."""

import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import config

SITE = config.ROOT / "deploy" / "proxies" / "nginx.conf"

PATIENCE = 20  # seconds


@contextmanager
def proxying(folder: Path, port: int, upstream: int) -> Iterator[None]:
    """The site without https, in front of a server at `upstream`."""
    secure = re.compile(r"server \{\n    listen 443 .*\n\}\n", re.DOTALL)
    text = SITE.read_text()
    (served,) = secure.findall(text)
    plain = re.sub(r"^    (listen|ssl_certificate).*\n", "", served, flags=re.MULTILINE)
    ours = plain.replace("server {", f"server {{\n    listen 127.0.0.1:{port};", 1)
    site = text.partition("server {\n    listen 80;")[0].replace("127.0.0.1:8000", f"127.0.0.1:{upstream}") + ours
    paths = "".join(
        f"    {name}_temp_path {folder}/{name};\n" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        f"daemon off;\npid {folder}/nginx.pid;\nerror_log {folder}/error.log;\n"
        f"events {{ worker_connections 1024; }}\nhttp {{\n    access_log off;\n{paths}{site}}}\n"
    )
    command = ["setpriv", "--pdeathsig", "TERM", "nginx", "-c", str(folder / "nginx.conf"), "-e", str(folder / "e.log")]
    path = {**os.environ, "PATH": f"{os.environ['PATH']}:/usr/sbin"}
    process = subprocess.Popen(command, env=path, start_new_session=True)
    try:
        _wait_until_it_listens(port)
        yield
    finally:
        process.send_signal(signal.SIGQUIT)
        process.wait(PATIENCE)


def _wait_until_it_listens(port: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.02)
    raise RuntimeError("nginx did not start")
