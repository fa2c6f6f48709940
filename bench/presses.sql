-- What presses.py makes of a city, and how it is set back.
-- seat_goes:
WITH slots AS (UPDATE slot SET taken = taken + 1 WHERE id = ANY(%(slots)s) RETURNING id, station_id), bookings AS (
    INSERT INTO booking (slot_id, station_id, person_id, state, via, ticket, created_at, seated_at, late)
    SELECT id, station_id, %(person)s, 'booked', 'tap', md5(%(person)s::text || '-' || id), now(), now(), false
    FROM slots RETURNING *
)
INSERT INTO event (at, kind, station_id, slot_id, booking_id, person_id, actor_id, after, details)
SELECT now(), 'booked', station_id, slot_id, id, person_id, person_id, 'booked', '{}' FROM bookings;

-- scene:
-- Ceilings C and C1 have the second and the seventh day to themselves.
UPDATE slot SET opens_at = now() - interval '1 hour', state = 'open'
  WHERE date IN (SELECT date + n FROM slot, (VALUES (1), (6)) days (n) WHERE id = 1);
-- The last run of each first day has seats for all that `Stage.change` gives.
UPDATE slot SET capacity = 1000 WHERE date = (SELECT date FROM slot WHERE id = 1)
  AND plan_id IS NOT NULL AND id %% 5 = 0;
-- Runs 2 and 3 of each first day are full.
UPDATE slot SET taken = capacity WHERE date = (SELECT date FROM slot WHERE id = 1)
  AND plan_id IS NOT NULL AND (id - 1) %% 5 IN (2, 3);
-- Every third of the refused holds the last run of the day at their station …
INSERT INTO booking (slot_id, station_id, person_id, state, via, ticket, created_at, seated_at, late)
  SELECT s * 5 + 5, s + 1, %(first)s + n, 'booked', 'tap', 'limit-' || n, now(), now(), false
  FROM (SELECT n, n / 3 %% %(refusing)s AS s FROM generate_series(1, %(group)s - 1, 3) n) held;
UPDATE slot SET taken = held.n, capacity = greatest(capacity, held.n) FROM (SELECT slot_id, count(*) AS n FROM booking
  WHERE ticket LIKE 'limit-%%' GROUP BY slot_id) held WHERE id = held.slot_id;
-- … and every other third has missed three slots there.
INSERT INTO booking (slot_id, station_id, person_id, state, via, ticket, created_at, seated_at, ended_at, late)
  SELECT past.id, past.station_id, %(first)s + n, 'released', 'tap', 'gone-' || past.id || '-' || n,
         past.opens_at, past.opens_at, past.release_at, false
  FROM generate_series(2, %(group)s - 1, 3) n CROSS JOIN LATERAL (
       SELECT * FROM slot WHERE station_id = n / 3 %% %(refusing)s + 1 AND state = 'done'
       ORDER BY date DESC LIMIT 3) past;
INSERT INTO strike (person_id, station_id, slot_id, booking_id, at, reason, forgive_reason)
  SELECT person_id, station_id, slot_id, id, now() - (interval '1 day'), 'no_show', ''
  FROM booking WHERE ticket LIKE 'gone-%%';

-- keep:
CREATE TABLE bench_slot AS SELECT id, taken, waiting, waitlist_seq, state FROM slot;
CREATE TABLE bench_last AS SELECT (SELECT max(id) FROM booking) AS booking, (SELECT max(id) FROM event) AS event,
  (SELECT coalesce(max(id), 0) FROM letter) AS letter;

-- reset:
DELETE FROM letter WHERE id > (SELECT letter FROM bench_last);
DELETE FROM event WHERE id > (SELECT event FROM bench_last);
DELETE FROM booking WHERE id > (SELECT booking FROM bench_last);
UPDATE slot SET taken = b.taken, waiting = b.waiting, waitlist_seq = b.waitlist_seq, state = b.state
  FROM bench_slot b WHERE b.id = slot.id AND (slot.taken, slot.waiting, slot.state)
  IS DISTINCT FROM (b.taken, b.waiting, b.state);
