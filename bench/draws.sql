-- The scene of draws.py: a draw at each station, closed a week ago or to be closed now, and how it is set back.
-- gathering:
INSERT INTO draw (id, station_id, date, version, opens_at, closes_at, state, seats)
  SELECT 1, station_id, date, 1, now() - interval '1 hour', starts_at - interval '1 hour', 'gathering', '{}'
  FROM slot WHERE id = %(slot)s;
UPDATE slot SET draw_id = 1, opens_at = starts_at WHERE id = %(slot)s;

-- draw:
SELECT s + past * %(stations)s AS id, s AS station_id, current_date - past * 7 AS date, 1 AS version,
           now() - (interval '2 hours') - past * interval '7 days' AS opens_at,
           now() - past * interval '7 days' AS closes_at, '{}'::json AS seats,
           CASE past WHEN 0 THEN 'gathering' ELSE 'drawn' END AS state,
           CASE past WHEN 1 THEN md5(s::text) || md5(s::text) END AS list_sha256,
           CASE past WHEN 1 THEN md5(s::text) || md5(s::text) END AS seed,
           CASE past WHEN 1 THEN now() - past * interval '7 days' END AS drawn_at
    FROM generate_series(1, %(stations)s) s, generate_series(0, 1) past;

-- draw_entry:
SELECT d + n * %(stations)s * 2 AS id, d AS draw_id,
           1 + (d - 1) %% %(stations)s * %(entries)s + n AS person_id,
           't' || lpad(to_hex(n * 7919 %% 65536), 4, '0') AS tag,
           now() AS entered_at, '{}'::json AS passed_over,
           CASE WHEN d > %(stations)s THEN n + 1 END AS no, CASE WHEN d > %(stations)s THEN 3 END AS balls,
           CASE WHEN d > %(stations)s THEN n + 1 END AS rank,
           CASE WHEN d > %(stations)s THEN 'lost' END AS result,
           (SELECT json_agg(%(stations)s * 5 + (d - 1) %% %(stations)s * 5 + 1 + (n + k) %% 3)
            FROM generate_series(0, n %% 3) k) AS wishes
    FROM generate_series(1, %(stations)s * 2) d, generate_series(0, %(entries)s - 1) n;

-- scene:
SELECT setval('draw_id_seq', (SELECT max(id) + 1 FROM draw));
SELECT setval('draw_entry_id_seq', (SELECT max(id) + 1 FROM draw_entry));
UPDATE slot SET opens_at = starts_at, plan_id = NULL, draw_id = station_id
  WHERE id >= %(first)s AND state = 'planned' AND (id - 1) %% 5 < 3;
UPDATE draw SET date = (SELECT date FROM slot WHERE slot.draw_id = draw.id LIMIT 1) WHERE state = 'gathering';

-- reset:
UPDATE slot SET taken = 0, waiting = 0, waitlist_seq = 0, state = 'planned', opens_at = starts_at
  WHERE draw_id IS NOT NULL AND state <> 'planned';
UPDATE draw_entry SET no = NULL, balls = NULL, rank = NULL, result = NULL, got_slot_id = NULL, passed_over = '{}'
  FROM draw WHERE draw.id = draw_id AND frozen_at IS NOT NULL;
UPDATE draw SET state = 'gathering', list_sha256 = NULL, frozen_at = NULL, secret = NULL, seed = NULL,
  seats = '{}', drawn_at = NULL WHERE frozen_at IS NOT NULL;
