#!/usr/bin/env bash
# ts-ics 2.4.6 (npm): three rules of working days are expanded to wrong days, without an error. "Every weekday, seven times"
# (FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR;COUNT=7) ends after five, for the days that BYDAY leaves out are counted; "the last weekday
# of the month" (BYDAY of five days and BYSETPOS=-1) is some other day; and with BYDAY a date that EXDATE takes out is made
# up for by one more at the end. RFC 5545 (3.3.10) counts occurrences, after BYDAY, and EXDATE takes away (3.8.5.1).
# dateutil and ical.js agree with it and with each other. Source: extendByRecurrenceRule in ts-ics.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check python-dateutil==2.9.0.post0
cd "$folder"
npm install --silent --no-audit --no-fund ts-ics@2.4.6 ical.js@2.2.1 >/dev/null
cat >expand.mjs <<'JS'
import ICAL from "ical.js";
import { convertIcsRecurrenceRule, extendByRecurrenceRule } from "ts-ics";

const start = new Date("2026-11-30T04:10:00Z");
for (const given of process.argv.slice(2)) {
  const [rule, out] = given.split(" ");
  const exceptions = out ? [new Date(`${out}T04:10:00Z`)] : [];
  const days = extendByRecurrenceRule(convertIcsRecurrenceRule(undefined, { value: rule }), { start, exceptions });
  console.log(given, "| ts-ics:", days.map((day) => day.toISOString().slice(5, 10)).join(" "));
  const dates = ICAL.Recur.fromString(rule).iterator(ICAL.Time.fromJSDate(start, true));
  const right = [];
  for (let date = dates.next(); date; date = dates.next()) right.push(date.toString().slice(0, 10));
  console.log(given, "| ical.js:", right.filter((day) => day !== out).map((day) => day.slice(5)).join(" "));
}
JS
cat >expand.py <<'PY'
import sys
from datetime import datetime

from dateutil.rrule import rrulestr

for given in sys.argv[1:]:
    rule, _, out = given.partition(" ")
    days = rrulestr(rule, dtstart=datetime(2026, 11, 30, 4, 10))
    print(given, "| dateutil:", *(f"{day:%m-%d}" for day in days if f"{day:%Y-%m-%d}" != out))
PY
rules=("FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR;COUNT=7" "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1;COUNT=4" "FREQ=WEEKLY;BYDAY=MO,WE;COUNT=6 2026-12-02")
found=$({ node expand.mjs "${rules[@]}" && venv/bin/python expand.py "${rules[@]}"; } | LC_ALL=C sort)
echo "$found"
[ "$found" = "FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR;COUNT=7 | dateutil: 11-30 12-01 12-02 12-03 12-04 12-07 12-08
FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR;COUNT=7 | ical.js: 11-30 12-01 12-02 12-03 12-04 12-07 12-08
FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR;COUNT=7 | ts-ics: 11-30 12-01 12-02 12-03 12-04
FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1;COUNT=4 | dateutil: 11-30 12-31 01-29 02-26
FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1;COUNT=4 | ical.js: 11-30 12-31 01-29 02-26
FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1;COUNT=4 | ts-ics: 12-30 01-28 02-25 03-30
FREQ=WEEKLY;BYDAY=MO,WE;COUNT=6 2026-12-02 | dateutil: 11-30 12-07 12-09 12-14 12-16
FREQ=WEEKLY;BYDAY=MO,WE;COUNT=6 2026-12-02 | ical.js: 11-30 12-07 12-09 12-14 12-16
FREQ=WEEKLY;BYDAY=MO,WE;COUNT=6 2026-12-02 | ts-ics: 11-30 12-07 12-09 12-14 12-16 12-21" ]
