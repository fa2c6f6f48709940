-- A morning of digests, after the first statement of `write_digests scene` in jobs.sql.
-- scene:
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
