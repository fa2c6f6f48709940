#!/usr/bin/env bash
# PostgreSQL 16.2 (by pgserver 0.1.4, PyPI; 15.18 does the same): an EXISTS in the select list is answered for one station by
# reading the whole table of slots, though its index begins with the station. A list given as JSON is planned as 100 rows,
# and for so many the planner makes a hash of all rows of the inner table (an AlternativeSubPlan) and probes it once. No
# setting keeps it from that: seqscan, hashjoin, hashagg, mergejoin and bitmapscan are all off here, and the scan is an index
# scan, so a look for "Seq Scan" in the plans finds nothing. A subquery with LIMIT 1 that is compared with NULL is never
# hashed; an array compared by = ANY is planned as 10 rows, for which it is not.
# Source: the plans below; build_subplan in src/backend/optimizer/plan/subselect.c.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export XDG_RUNTIME_DIR="$folder"
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pgserver==0.1.4
cat >"$folder/plans.sql" <<'SQL'
CREATE TABLE station (id int PRIMARY KEY, code text UNIQUE);
CREATE TABLE slot (id int PRIMARY KEY, station_id int, day date, draw_id int);
INSERT INTO station SELECT n, 's' || n FROM generate_series(1, 900) n;
INSERT INTO slot SELECT n, 1 + n % 900, date '2026-12-01' + n / 900 % 10 FROM generate_series(1, 45000) n;
CREATE INDEX slot_of_station ON slot (station_id, day);
VACUUM ANALYZE;
SET plan_cache_mode = force_generic_plan;
SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_hashagg = off;
SET enable_mergejoin = off; SET enable_bitmapscan = off;
PREPARE of_json (jsonb, date) AS
  SELECT code, EXISTS (SELECT FROM slot WHERE station_id = station.id AND day >= $2 AND draw_id IS NOT NULL)
  FROM jsonb_array_elements_text($1) asked JOIN station ON code = asked;
PREPARE with_limit (jsonb, date) AS
  SELECT code, (SELECT 1 FROM slot WHERE station_id = station.id AND day >= $2 AND draw_id IS NOT NULL LIMIT 1) IS NOT NULL
  FROM jsonb_array_elements_text($1) asked JOIN station ON code = asked;
PREPARE of_array (text[], date) AS
  SELECT code, EXISTS (SELECT FROM slot WHERE station_id = station.id AND day >= $2 AND draw_id IS NOT NULL)
  FROM station WHERE code = ANY ($1);
\pset tuples_only on
\echo EXISTS beside a JSON list
EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) EXECUTE of_json('["s7"]', '2026-11-30');
\echo LIMIT 1 beside a JSON list
EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) EXECUTE with_limit('["s7"]', '2026-11-30');
\echo EXISTS beside an array
EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) EXECUTE of_array('{s7}', '2026-11-30');
SQL
"$folder/venv/bin/python" - "$folder" >"$folder/plans" <<'PY'
import sys
from pathlib import Path

import pgserver

folder = Path(sys.argv[1])
with pgserver.get_server(folder / "data", cleanup_mode="stop") as server:
    print(server.psql((folder / "plans.sql").read_text()))
PY
found=$(grep -E "beside|Cond: .*day|Rows Removed" "$folder/plans" | sed 's/^ *//')
echo "$found"
[ "$found" = 'EXISTS beside a JSON list
Index Cond: (day >= $2)
Rows Removed by Filter: 45000
LIMIT 1 beside a JSON list
Index Cond: ((station_id = station.id) AND (day >= $2))
Rows Removed by Filter: 50
EXISTS beside an array
Index Cond: ((station_id = station.id) AND (day >= $2))
Rows Removed by Filter: 50' ]
