"""README's commands for a real set-up, as a script: word for word but for what only the reader knows."""

import os
import re
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import config

HEADING = "## Set it up for real"
PASSWORD = "tea-at-noon-with-friends"
SERVES = ("granian ", "flask scheduler")  # what does not return


def commands() -> list[str]:
    """The lines of the block under the heading."""
    block = (config.ROOT / "README.md").read_text().partition(HEADING)[2].partition("\n## ")[0]
    return re.findall(r"^    (\S.*)$", block, re.MULTILINE)


def script(own: Mapping[str, str], *, installs: bool) -> str:
    """The same with the reader's values for some settings, and the servers in the background."""
    lines = []
    for line in commands():
        if line.startswith("make install") and not installs:
            continue
        name = line.removeprefix("export ").partition("=")[0]
        said = f"export {name}='{own[name]}'" if name in own else line.partition("  #")[0]
        lines.append(f"{said} &" if line.startswith(SERVES) else said)
    return "\n".join(["set -euo pipefail", *lines, "wait -n", ""])


@contextmanager
def followed(folder: Path, script: str, environment: Mapping[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The script while it runs; at the end it and all that it started are ended."""
    with log.open("wb") as said:
        process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", "bash", "-c", script],
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.PIPE,
            stdout=said,
            stderr=said,
            start_new_session=True,
        )
        assert process.stdin
        process.stdin.write(f"{PASSWORD}\n{PASSWORD}\n".encode())
        process.stdin.close()
        try:
            yield process
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)
