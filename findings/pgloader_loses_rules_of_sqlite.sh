#!/usr/bin/env bash
# pgloader 3.6.9 (Debian 12) takes a database from SQLite to PostgreSQL, reports no error and ends with 0, and the tables that it makes
# keep other rules.
# 1. A partial unique index loses its condition. "One booking each, WHERE cancelled IS NULL" becomes one booking each for ever:
#    who has cancelled cannot book that slot again, as the last two lines below show.
# 2. NOT NULL goes from every column but the key's (issue 1451, open), CHECK from all, and VARCHAR(20) is text.
# 3. DATETIME, which has no zone and is UTC where CURRENT_TIMESTAMP fills it, becomes timestamptz, read in the time zone of the
#    session: where the database's is Asia/Shanghai an opening at 10:00 in Beijing is at 02:00. SET timezone to 'UTC' helps.
# Foreign keys with ON DELETE and defaults arrive, so a look at those finds nothing. Let the app's own migrations make the tables, and
# let pgloader load data only. Source: "Partial Indexes" and "Date And Time Functions" in SQLite's documentation say what the
# source means; src/sources/sqlite of pgloader, sqlite-cast-rules.lisp for datetime.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export XDG_RUNTIME_DIR="$folder"
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pgserver==0.1.4
cd "$folder"
apt-get download -qq -o APT::Sandbox::User=root pgloader=3.6.9-1 libsqlite3-0
for package in *.deb; do dpkg-deb -x "$package" .; done
cat >move.py <<'PY'
import os
import sqlite3
import subprocess
import sys

import pgserver

folder = sys.argv[1]
with sqlite3.connect("station.db") as station:
    station.executescript("""
        CREATE TABLE slot (
            id INTEGER NOT NULL PRIMARY KEY, opens DATETIME NOT NULL, title VARCHAR(20) NOT NULL,
            capacity INTEGER NOT NULL DEFAULT 15 CHECK (capacity > 0)
        );
        CREATE TABLE booking (
            id INTEGER NOT NULL PRIMARY KEY, slot_id INTEGER NOT NULL REFERENCES slot (id) ON DELETE CASCADE,
            person_id INTEGER NOT NULL, cancelled DATETIME
        );
        CREATE UNIQUE INDEX one_each ON booking (slot_id, person_id) WHERE cancelled IS NULL;
        INSERT INTO slot (id, opens, title) VALUES (1, '2026-12-01 02:00:00.000000', '瑜伽');
        INSERT INTO booking VALUES (1, 1, 7, '2026-12-01 02:30:00.000000'), (2, 1, 8, NULL);
    """)
server = pgserver.get_server(f"{folder}/data")
server.psql("ALTER DATABASE postgres SET timezone TO 'Asia/Shanghai'")
with open("move.load", "w") as commands:
    commands.write(
        f"LOAD DATABASE FROM sqlite://{folder}/station.db INTO postgresql://postgres@unix:{folder}/data:5432/postgres"
        " WITH include drop, create tables, create indexes, reset sequences;"
    )
libraries = os.environ | {"LD_LIBRARY_PATH": f"{folder}/usr/lib/x86_64-linux-gnu"}
told = subprocess.run(["usr/bin/pgloader", "--root-dir", f"{folder}/logs", "move.load"], env=libraries, capture_output=True, text=True)
wrong = [line for line in told.stdout.splitlines() if "ERROR" in line or "WARN" in line or "FATAL" in line]
print("pgloader: exit", told.returncode, wrong)


BOOK_AGAIN = "INSERT INTO booking VALUES (3, 1, 7, NULL)"
LOOK = rf"""
\t on
\a
SELECT table_name, string_agg(
    column_name || ' ' || data_type || CASE is_nullable WHEN 'NO' THEN ' not null' ELSE '' END || coalesce(' default ' || column_default, ''),
    ', ' ORDER BY ordinal_position
) FROM information_schema.columns WHERE table_schema = 'public' GROUP BY table_name ORDER BY table_name;
SELECT 'checks', count(*) FROM pg_constraint WHERE contype = 'c' AND connamespace = 'public'::regnamespace;
SELECT 'foreign key', pg_get_constraintdef(oid) FROM pg_constraint WHERE contype = 'f' AND connamespace = 'public'::regnamespace;
SELECT 'index', regexp_replace(indexdef, 'idx_[0-9]+_', '') FROM pg_indexes WHERE indexname LIKE '%one_each';
SELECT 'opens', opens FROM slot;
{BOOK_AGAIN};
SELECT 'PostgreSQL', count(*) || ' bookings' FROM booking;
"""
print("\n".join(line for line in server.psql(LOOK).splitlines() if "|" in line))
with sqlite3.connect("station.db") as station:
    station.execute(BOOK_AGAIN)
    print("SQLite|%d bookings" % station.execute("SELECT count(*) FROM booking").fetchone())
server.cleanup()
PY
found=$(venv/bin/python move.py "$folder" 2>/dev/null)
echo "$found"
[ "$found" = "pgloader: exit 0 []
booking|id bigint not null, slot_id bigint, person_id bigint, cancelled timestamp with time zone
slot|id bigint not null, opens timestamp with time zone, title text, capacity bigint default '15'::bigint
checks|0
foreign key|FOREIGN KEY (slot_id) REFERENCES slot(id) ON DELETE CASCADE
index|CREATE UNIQUE INDEX one_each ON public.booking USING btree (slot_id, person_id)
opens|2026-12-01 02:00:00+08
PostgreSQL|2 bookings
SQLite|3 bookings" ]
