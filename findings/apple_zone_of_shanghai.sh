#!/usr/bin/env bash
# python-dateutil 2.9.0.post0, vobject 0.9.9, icalendar 7.3.2 (PyPI) and ts-ics 2.4.6 (npm) are an hour off at all events
# that Apple's Calendar has written in China. Its VTIMEZONE of Asia/Shanghai ends the daylight saving of 1991 by a rule
# with UNTIL=19910914T170000Z, which is 02:00 of 15 September at +0900, the change itself; UNTIL is in UTC in a VTIMEZONE and
# counts itself (RFC 5545, 3.3.10). These four lose that change and keep +0900 ever after: noon in Beijing comes an hour too
# early. icalendar does so only where the TZID is no name that it knows; ical.js reads both right. The same block is in public
# makers of class timetables, so not Apple's files alone have it. Source: tzical in dateutil/tz/tz.py reads the rule with
# ignoretz=True, and vobject and icalendar make their zones by it; getTimezoneObjectOffset of ts-ics.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check python-dateutil==2.9.0.post0 vobject==0.9.9 icalendar==7.3.2
cd "$folder"
npm install --silent --no-audit --no-fund ical.js@2.2.1 ts-ics@2.4.6 >/dev/null
write() { # TZID
    printf '%s\r\n' BEGIN:VCALENDAR VERSION:2.0 "PRODID:-//Example//Lunch//EN" \
        BEGIN:VTIMEZONE "TZID:$1" \
        BEGIN:STANDARD TZOFFSETFROM:+0900 TZOFFSETTO:+0800 TZNAME:GMT+8 DTSTART:19890917T020000 \
        "RRULE:FREQ=YEARLY;UNTIL=19910914T170000Z;BYMONTH=9;BYDAY=3SU" END:STANDARD \
        BEGIN:DAYLIGHT TZOFFSETFROM:+0800 TZOFFSETTO:+0900 TZNAME:GMT+8 DTSTART:19910414T020000 RDATE:19910414T020000 END:DAYLIGHT \
        END:VTIMEZONE \
        BEGIN:VEVENT UID:yoga@example.com DTSTAMP:20261130T000000Z "DTSTART;TZID=$1:20261130T121000" DURATION:PT40M SUMMARY:Yoga END:VEVENT \
        END:VCALENDAR
}
write Asia/Shanghai >named.ics
write /example.com/Asia/Shanghai >prefixed.ics
cat >read.py <<'PY'
import sys
from datetime import datetime, timezone
from io import StringIO
from pathlib import Path

from dateutil.tz import tzical
from icalendar import Calendar
from vobject import readOne

name = sys.argv[1]
text = Path(name).read_bytes().decode()
starts = {
    "dateutil": datetime(2026, 11, 30, 12, 10, tzinfo=tzical(StringIO(text)).get()),
    "vobject": readOne(text).vevent.dtstart.value,
    "icalendar": Calendar.from_ical(text).events[0].start,
}
for reader, start in starts.items():
    print(name, reader, start.astimezone(timezone.utc).strftime("%H:%MZ"))
PY
cat >read.mjs <<'JS'
import { readFileSync } from "fs";
import ICAL from "ical.js";
import { convertIcsCalendar } from "ts-ics";

const name = process.argv[2];
const text = readFileSync(name, "utf8");
const event = new ICAL.Component(ICAL.parse(text)).getFirstSubcomponent("vevent");
const shown = (start) => `${start.toISOString().slice(11, 16)}Z`;
console.log(name, "ts-ics", shown(convertIcsCalendar(undefined, text).events[0].start.date));
console.log(name, "ical.js", shown(new ICAL.Event(event).startDate.toJSDate()));
JS
found=$(for name in named.ics prefixed.ics; do venv/bin/python read.py "$name" && node read.mjs "$name"; done)
echo "$found"
[ "$found" = "named.ics dateutil 03:10Z
named.ics vobject 03:10Z
named.ics icalendar 04:10Z
named.ics ts-ics 03:10Z
named.ics ical.js 04:10Z
prefixed.ics dateutil 03:10Z
prefixed.ics vobject 03:10Z
prefixed.ics icalendar 03:10Z
prefixed.ics ts-ics 03:10Z
prefixed.ics ical.js 04:10Z" ]
