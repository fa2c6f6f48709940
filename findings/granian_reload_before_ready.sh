#!/usr/bin/env bash
# granian 2.8.7 (PyPI): HUP starts a new worker, sleeps --respawn-interval (3.5 s by default), and ends the old one, whether or
# not the new one has loaded the app. An app that takes eight seconds to start is away for the rest of them at every
# "graceful" reload; with an interval longer than its start nobody is left without an answer. The option's help speaks of
# "seconds to sleep between workers respawn" only. Source: granian/server/common.py, _reload() and _respawn_workers().
set -euo pipefail
folder=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; wait; rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check granian==2.8.7
cat > "$folder/slow.py" <<'PY'
import time

time.sleep(8)


def app(environ, start):
    start("200 OK", [("Content-Length", "2")])
    return [b"ok"]
PY
cat > "$folder/watch.py" <<'PY'
import os
import signal
import sys
import time
from urllib.request import urlopen

address, server = f"http://127.0.0.1:{sys.argv[1]}/", int(sys.argv[2])


def answers() -> bool:
    try:
        return urlopen(address, timeout=1).read() == b"ok"
    except OSError:
        return False


while not answers():
    time.sleep(0.1)
os.kill(server, signal.SIGHUP)
ends, last, gap = time.monotonic() + 25, time.monotonic(), 0.0
while time.monotonic() < ends:
    if answers():
        gap, last = max(gap, time.monotonic() - last), time.monotonic()
    time.sleep(0.05)
print("nobody answers for seconds" if gap > 2 else "somebody always answers")
PY
found=""
for pair in "8611 3.5" "8612 15"; do
    read -r port interval <<< "$pair"
    (cd "$folder" && exec venv/bin/granian --interface wsgi --no-ws --log-level error --port "$port" --respawn-interval "$interval" slow:app) &
    server=$!
    found+="interval $interval: $(python3 "$folder/watch.py" "$port" "$server")"$'\n'
    kill "$server"
    wait "$server" || true
done
echo "$found"
[ "$found" = "interval 3.5: nobody answers for seconds
interval 15: somebody always answers
" ]
