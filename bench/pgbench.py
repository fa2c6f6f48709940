"""Ceiling P: the seat-taking transaction of ceiling C, sent by pgbench."""

import re
import subprocess

from bench.ground import Ground
from bench.stock import City
from tests.support.postgres import binary

SCRIPT = """
\\set n :n + 1
\\set person 1 + (:n * {connections} + :client_id) % {people}
\\set slot {slot}
BEGIN;
UPDATE slot SET taken = taken + 1 WHERE id = :slot AND taken < capacity AND state IN ('planned', 'open')
  AND opens_at <= now() AND starts_at > now() RETURNING station_id AS station \\gset
INSERT INTO booking (slot_id, station_id, person_id, state, via, ticket, created_at, seated_at, late)
  VALUES (:slot, :station, :person, 'booked', 'tap', md5(:person || '-' || :slot || '-' || :n), now(), now(), false)
  RETURNING id AS booking \\gset
INSERT INTO event (at, kind, station_id, slot_id, booking_id, person_id, actor_id, after, details)
  VALUES (now(), 'booked', :station, :slot, :booking, :person, :person, 'booked', '{{}}');
COMMIT;
"""


def per_second(place: Ground, city: City, connections: int, seconds: int, *, hot: bool = False) -> float:
    """Seats taken a second, over the slots of ceiling C or on one."""
    many = f"{city.slot(1, 0, 1)} + (:n * {connections} + :client_id) % {city.slots_a_day}"
    slot = str(city.hot[1]) if hot else many
    script = place.folder / "seat.sql"
    script.write_text(SCRIPT.format(connections=connections, people=city.people, slot=slot))
    command = [binary("pgbench"), "-n", "-M", "prepared", "-D", "n=0", "-f", str(script), f"-T{seconds}"]
    command += [f"-c{connections}", "-j2", place.plain]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found = re.search(r"tps = ([\d.]+)", told)
    if not found:
        raise RuntimeError(f"pgbench said nothing useful:\n{told}")
    return float(found[1])
