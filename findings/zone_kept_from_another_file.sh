#!/usr/bin/env bash
# icalendar 7.3.2 and vobject 0.9.9 (PyPI): the first file that a process reads decides what a time zone's name means in
# all that follow. Both keep each VTIMEZONE by its TZID for good; a second file with the same TZID and another offset is read
# with the first one's. A TZID is a name within its own iCalendar object (RFC 5545, 3.8.3.1), and Exchange gives every zone
# that it has no name for the same one, "Customized Time Zone" or "tzone://Microsoft/Custom": a server that has read an
# invitation from New York puts noon in Beijing thirteen hours late until it is restarted. ical.js and ts-ics keep to the file.
# Source: TZP.cache_timezone_component in icalendar/timezone/tzp.py; registerTzid in vobject/icalendar.py.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check icalendar==7.3.2 vobject==0.9.9
cd "$folder"
npm install --silent --no-audit --no-fund ical.js@2.2.1 ts-ics@2.4.6 >/dev/null
for offset in -0500 +0800; do
    printf '%s\r\n' BEGIN:VCALENDAR VERSION:2.0 "PRODID:-//Example//Lunch//EN" \
        BEGIN:VTIMEZONE "TZID:Customized Time Zone" \
        BEGIN:STANDARD DTSTART:16010101T000000 TZOFFSETFROM:$offset TZOFFSETTO:$offset END:STANDARD \
        END:VTIMEZONE \
        BEGIN:VEVENT UID:yoga@example.com DTSTAMP:20261130T000000Z "DTSTART;TZID=Customized Time Zone:20261130T121000" \
        DURATION:PT40M SUMMARY:Yoga END:VEVENT END:VCALENDAR >"$offset.ics"
done
cat >read.py <<'PY'
import sys
from datetime import timezone
from pathlib import Path

from icalendar import Calendar
from vobject import readOne

readers = {
    "icalendar": lambda text: Calendar.from_ical(text).events[0].start,
    "vobject": lambda text: readOne(text).vevent.dtstart.value,
}
texts = {name: Path(f"{name}.ics").read_bytes().decode() for name in sys.argv[1:]}
for reader, start in readers.items():
    print(reader, "|", *(f"{name}: {start(text).astimezone(timezone.utc):%H:%MZ}" for name, text in texts.items()))
PY
cat >read.mjs <<'JS'
import { readFileSync } from "fs";
import ICAL from "ical.js";
import { convertIcsCalendar } from "ts-ics";

const readers = {
  "ical.js": (text) => new ICAL.Event(new ICAL.Component(ICAL.parse(text)).getFirstSubcomponent("vevent")).startDate.toJSDate(),
  "ts-ics": (text) => convertIcsCalendar(undefined, text).events[0].start.date,
};
for (const [reader, start] of Object.entries(readers)) {
  const told = process.argv.slice(2).map((name) => `${name}: ${start(readFileSync(`${name}.ics`, "utf8")).toISOString().slice(11, 16)}Z`);
  console.log(reader, "|", told.join(" "));
}
JS
found=$(
    for order in "-0500 +0800" "+0800 -0500"; do
        read -r first second <<<"$order"
        venv/bin/python read.py "$first" "$second"
        node read.mjs "$first" "$second"
    done
)
echo "$found"
[ "$found" = "icalendar | -0500: 17:10Z +0800: 17:10Z
vobject | -0500: 17:10Z +0800: 17:10Z
ical.js | -0500: 17:10Z +0800: 04:10Z
ts-ics | -0500: 17:10Z +0800: 04:10Z
icalendar | +0800: 04:10Z -0500: 04:10Z
vobject | +0800: 04:10Z -0500: 04:10Z
ical.js | +0800: 04:10Z -0500: 17:10Z
ts-ics | +0800: 04:10Z -0500: 17:10Z" ]
