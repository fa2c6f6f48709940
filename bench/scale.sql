-- The opening of a city: see scale.py.
-- one_slot_each:
DELETE FROM slot WHERE (plan_id IS NULL OR (id - 1) % 5 <> 0) AND state <> 'done';
UPDATE slot SET state = 'planned', opens_at = starts_at WHERE state <> 'done';
-- One-offs: the scheduler has nothing to plan or to take back while we measure.
UPDATE slot SET plan_id = NULL;
UPDATE plan SET stopped_at = now();
INSERT INTO event (at, kind, station_id, slot_id, after, details)
  SELECT now(), 'planned', station_id, id, state, '{"capacity": 15}' FROM slot;

-- opening:
UPDATE slot SET opens_at = now() + make_interval(secs => %(ahead)s) WHERE state = 'planned';
INSERT INTO event (at, kind, station_id, details)
  SELECT now(), 'edited', station_id, '{}' FROM slot WHERE state = 'planned';

-- outcome:
WITH press AS (
    SELECT b.state, extract(epoch FROM b.created_at - s.opens_at)::numeric AS after, s.opens_at, b.created_at
    FROM booking b JOIN slot s ON s.id = b.slot_id WHERE s.state <> 'done'
), seat AS (SELECT * FROM press WHERE state = 'booked')
SELECT (SELECT count(*) FROM press) AS presses, count(*) AS seats_sold,
    round(extract(epoch FROM max(created_at) - min(opens_at))::numeric, 1) AS all_sold_after_s,
    round(count(*) / extract(epoch FROM max(created_at) - min(opens_at))::numeric)::int AS seats_a_second,
    round((percentile_cont(0.5) WITHIN GROUP (ORDER BY after))::numeric, 2) AS seat_p50_s,
    round((percentile_cont(0.99) WITHIN GROUP (ORDER BY after))::numeric, 2) AS seat_p99_s,
    (SELECT round((percentile_cont(0.5) WITHIN GROUP (ORDER BY after))::numeric, 2) FROM press) AS press_p50_s,
    (SELECT round((percentile_cont(0.99) WITHIN GROUP (ORDER BY after))::numeric, 2) FROM press) AS press_p99_s,
    (SELECT count(*) FROM slot WHERE capacity < (SELECT count(*) FROM booking
     WHERE slot_id = slot.id AND state = 'booked')) AS oversold,
    (SELECT sum(capacity - taken)::int FROM slot WHERE state <> 'done') AS seats_left
FROM seat;
