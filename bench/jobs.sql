-- The scene of each chore of jobs.py, the rows that it writes by one statement, how to undo it, and when it is due.
-- open_slots scene:
-- The first run of each station on the third day opens.
UPDATE slot SET opens_at = now() - interval '1 second'
  WHERE id >= %(day2)s AND id < %(day3)s AND (id - 1) %% %(per_day)s = 0;

-- open_slots bulk:
WITH opened AS (
    UPDATE slot SET state = 'open' WHERE state = 'planned' AND opens_at <= %(now)s AND starts_at > %(now)s
    RETURNING id, station_id, plan_id
), told AS (
    INSERT INTO event (at, kind, station_id, plan_id, slot_id, before, after, details)
    SELECT %(now)s, 'opened', station_id, plan_id, id, 'planned', 'open', '{}' FROM opened RETURNING id
) SELECT count(*) FROM told;

-- open_slots undo:
DELETE FROM event WHERE slot_id >= %(day2)s AND slot_id < %(day3)s;
UPDATE slot SET state = 'planned' WHERE id >= %(day2)s AND id < %(day3)s AND state <> 'planned';

-- open_slots hour:
SELECT now();

-- release_no_shows scene:
-- The first run of each station on the fourth day has begun: attendance is taken, and nobody else came.
UPDATE slot SET state = 'running', capacity = 1000, date = current_date, opens_at = now() - interval '1 day',
      free_until = now() - interval '36 minutes', waitlist_until = now() - interval '20 minutes',
      checkin_from = now() - interval '20 minutes', starts_at = now() - interval '301 seconds',
      release_at = now() - interval '1 second', ends_at = now() + interval '45 minutes', released_at = NULL,
      taken = %(seats)s / %(stations)s + ((id - %(day3)s) / %(per_day)s < %(seats)s %% %(stations)s)::int
  WHERE id >= %(day3)s AND id < %(day4)s AND (id - 1) %% %(per_day)s = 0;
INSERT INTO booking (slot_id, station_id, person_id, state, via, ticket, created_at, seated_at, late)
  SELECT %(day3)s + s * %(per_day)s, s + 1, n %% %(people)s + 1, 'booked', 'tap', 'absent-' || n,
         now() - interval '1 day', now() - interval '1 day', false
  FROM (SELECT n, n %% %(stations)s AS s FROM generate_series(0, %(seats)s - 1) n) absent;
INSERT INTO event (at, kind, station_id, slot_id, details) SELECT now(), 'checked_in', station_id, id, '{}'
  FROM slot WHERE id >= %(day3)s AND id < %(day4)s AND (id - 1) %% %(per_day)s = 0;

-- release_no_shows bulk:
WITH lost AS (
    UPDATE booking b SET state = 'released', ended_at = %(now)s, end_reason = 'released' FROM slot s
    WHERE s.id = b.slot_id AND s.state = 'running' AND s.release_at <= %(now)s AND s.released_at IS NULL
      AND b.state = 'booked'
    RETURNING b.id, b.slot_id, b.station_id, b.person_id, s.plan_id
), emptied AS (
    UPDATE slot SET taken = taken - n, released_at = %(now)s
    FROM (SELECT slot_id, count(*) AS n FROM lost GROUP BY slot_id) gone WHERE id = gone.slot_id RETURNING id
), told AS (
    INSERT INTO event (at, kind, station_id, plan_id, slot_id, booking_id, person_id, before, after, reason, details)
    SELECT %(now)s, kind, station_id, plan_id, slot_id, id, person_id, before, after, reason, '{}'
    FROM lost, (VALUES ('released', 'booked', 'released', NULL), ('strike', NULL, NULL, 'no_show'))
         AS line (kind, before, after, reason) RETURNING id
), struck AS (
    INSERT INTO strike (person_id, station_id, slot_id, booking_id, at, reason, forgive_reason)
    SELECT person_id, station_id, slot_id, id, %(now)s, 'no_show', '' FROM lost RETURNING id
), written AS (
    INSERT INTO letter (kind, person_id, slot_id, details, message_id, state, tries, created_at, next_try_at, error)
    SELECT 'strike', person_id, slot_id, '{"reason": "no_show", "warning": true}',
           replace(gen_random_uuid()::text, '-', ''), 'queued', 0, %(now)s, %(now)s, '' FROM lost RETURNING id
) SELECT count(*) FROM written;

-- release_no_shows undo:
DELETE FROM letter WHERE slot_id >= %(day3)s AND slot_id < %(day4)s;
DELETE FROM strike WHERE slot_id >= %(day3)s AND slot_id < %(day4)s;
DELETE FROM event WHERE slot_id >= %(day3)s AND slot_id < %(day4)s;
DELETE FROM booking WHERE slot_id >= %(day3)s AND slot_id < %(day4)s;
UPDATE slot SET state = 'planned', taken = 0, capacity = 15, released_at = NULL
  WHERE id >= %(day3)s AND id < %(day4)s AND state <> 'planned';

-- release_no_shows hour:
SELECT now();

-- write_digests scene:
-- On the fifth day everybody has a seat, and the sixth day's slots open.
INSERT INTO workday (date, works, name, source) SELECT date, true, '', 'bench' FROM slot WHERE id = %(day4)s
  ON CONFLICT (date) DO UPDATE SET works = true;
INSERT INTO booking (slot_id, station_id, person_id, state, via, ticket, created_at, seated_at, late)
  SELECT %(day4)s + s, s / %(per_day)s + 1, n + 1, 'booked', 'tap', 'today-' || n, now(), now(), false
  FROM (SELECT n, n %% (%(stations)s * %(per_day)s) AS s FROM generate_series(0, %(people)s - 1) n) there;
UPDATE slot SET taken = capacity WHERE id >= %(day4)s AND id < %(day5)s;

-- write_digests bulk:
-- What the app wrote was kept in `bench_letter`.
WITH written AS (
    INSERT INTO letter (kind, key, person_id, language, details, message_id, state, tries, created_at, next_try_at,
                        error)
    SELECT kind, key, person_id, language, details, replace(gen_random_uuid()::text, '-', ''), 'queued', 0,
           %(now)s, %(now)s, '' FROM bench_letter RETURNING id, person_id
), digests AS (
    INSERT INTO digest (person_id, kind, date, letter_id, written_at)
    SELECT person_id, 'worker', (SELECT date FROM slot WHERE id = %(day4)s), id, %(now)s FROM written RETURNING id
) SELECT count(*) FROM digests;

-- write_digests undo:
CREATE TABLE IF NOT EXISTS bench_letter AS SELECT * FROM letter WHERE kind = 'worker_digest';
DELETE FROM digest WHERE date = (SELECT date FROM slot WHERE id = %(day4)s);
DELETE FROM digest_round;
DELETE FROM letter WHERE kind = 'worker_digest';
DELETE FROM booking WHERE slot_id >= %(day4)s AND slot_id < %(day5)s;
UPDATE slot SET taken = 0 WHERE id >= %(day4)s AND id < %(day5)s;

-- write_digests hour:
SELECT (date + time '08:30') AT TIME ZONE 'Asia/Shanghai' FROM slot WHERE id = %(day4)s;

-- policy_change scene:
-- The policy of the city gets other deadlines for every coming slot.
UPDATE node SET own_policy = '{"free_minutes": 90, "line_minutes": 20, "checkin_minutes": 10, "grace_minutes": 10}'
  WHERE id = 1;
UPDATE station SET policy_due = true;

-- policy_change bulk:
WITH applied AS (
    UPDATE station SET policy_due = false,
        policy = '{"free_minutes": 90, "line_minutes": 20, "checkin_minutes": 10, "grace_minutes": 10}'
    WHERE policy_due RETURNING id
), told AS (
    INSERT INTO event (at, kind, station_id, details) SELECT %(now)s, 'policy_applied', id, '{}' FROM applied
), moved AS (
    UPDATE slot SET free_until = starts_at - interval '90 minutes', waitlist_until = starts_at - interval '20 minutes',
        checkin_from = starts_at - interval '10 minutes', release_at = starts_at + interval '10 minutes'
    WHERE state IN ('planned', 'open') AND starts_at > %(now)s
) SELECT count(*) FROM applied;

-- policy_change undo:
DELETE FROM event WHERE kind = 'policy_applied';
UPDATE station SET policy = '{}', policy_due = false;
UPDATE slot SET free_until = starts_at - interval '30 minutes', waitlist_until = starts_at - interval '15 minutes',
      checkin_from = starts_at - interval '15 minutes', release_at = starts_at + interval '5 minutes'
  WHERE release_at = starts_at + interval '10 minutes';

-- policy_change hour:
SELECT now();

-- letters scene:
-- A morning of digests, after the first statement of `write_digests scene`.
-- Each has been at the station of theirs once lately.
UPDATE booking SET person_id = station_id + (id - 1) %% %(readers)s * %(stations)s WHERE state = 'attended';
INSERT INTO booking (slot_id, station_id, person_id, state, via, ticket, created_at, seated_at, waitlist_position, late)
  SELECT %(day4)s + s * %(per_day)s + CASE WHEN k < 9 THEN k %% %(per_day)s ELSE k %% 2 END, s + 1,
         1 + s + k * %(stations)s, CASE WHEN k < 9 THEN 'booked' ELSE 'waiting' END, 'tap',
         'today-' || s || '-' || k, now(), CASE WHEN k < 9 THEN now() END, CASE WHEN k >= 9 THEN k END, false
  FROM generate_series(0, %(stations)s - 1) s, generate_series(0, %(readers)s - 3) k;
UPDATE slot SET taken = capacity WHERE id >= %(day4)s AND id < %(day5)s;
INSERT INTO strike (person_id, station_id, slot_id, booking_id, at, reason, forgive_reason)
  SELECT person_id, station_id, slot_id, id, now() - interval '1 day', 'no_show', '' FROM booking
  WHERE state = 'attended' AND (person_id - 1) / %(stations)s IN (3, 10);
UPDATE person SET language = 'en' WHERE id %% 10 = 0;

-- workday:
SELECT station.id AS station_id, date, true AS works, 1 AS follows FROM station, slot WHERE slot.id = 1;
