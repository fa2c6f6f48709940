#!/usr/bin/env bash
# A weekend that is worked in China, such as Saturday 10 October 2026, stands in no weekly rule; a calendar file has RDATE for it
# (RFC 5545, 3.8.5.2: the set is DTSTART, the RRULE's and the RDATE's). Five of seven readers make something else of it.
# libical 3.0.16 (Debian 12) forgets the TZID of RDATE, though it knows those of DTSTART and EXDATE: the class is at 20:10.
# icalevents 0.3.1 (PyPI) and node-ical 0.27.2 (npm) leave it out. Where all days are RDATE, with no RRULE, ical 14.3.1 (PyPI) and
# ical.js 2.2.1 (npm) have it, but drop the first day, which is DTSTART's. No one raises. recurring-ical-events 3.8.2 and vobject
# 0.9.9 (PyPI) read both files right. So a feed for all has one VEVENT a date.
# Source: icalcomponent_foreach_recurrence in libical/icalcomponent.c; parse_rrule in icalevents/icalparser.py; RulesetIterable in
# ical/iter.py; RecurExpansion in ical.js; the day: the State Council's notice for 2026, chinesecalendar 1.11.0 (PyPI) below.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check icalendar==7.3.2 recurring-ical-events==3.8.2 vobject==0.9.9 \
    ical==14.3.1 icalevents==0.3.1 chinesecalendar==1.11.0
cd "$folder"
npm install --silent --no-audit --no-fund ical.js@2.2.1 node-ical@0.27.2 >/dev/null
apt-get download -qq -o APT::Sandbox::User=root libical3=3.0.16-1+b1 libicu72
for package in *.deb; do dpkg-deb -x "$package" .; done
write() { # lines of the event
    printf '%s\r\n' BEGIN:VCALENDAR VERSION:2.0 "PRODID:-//Example//Lunch//EN" \
        BEGIN:VTIMEZONE TZID:Asia/Shanghai BEGIN:STANDARD DTSTART:19700101T000000 TZOFFSETFROM:+0800 TZOFFSETTO:+0800 END:STANDARD \
        END:VTIMEZONE BEGIN:VEVENT UID:yoga@example.com DTSTAMP:20261001T000000Z "DTSTART;TZID=Asia/Shanghai:20261008T121000" \
        DURATION:PT40M SUMMARY:Yoga "$@" END:VEVENT END:VCALENDAR
}
write "RRULE:FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR;COUNT=3" "RDATE;TZID=Asia/Shanghai:20261010T121000" >rule.ics
write "RDATE;TZID=Asia/Shanghai:20261009T121000,20261010T121000,20261012T121000" >dates.ics
cat >read.py <<'PY'
from ctypes import CDLL, CFUNCTYPE, POINTER, Structure, c_char_p, c_int, c_long, c_void_p
from datetime import date, datetime, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import chinese_calendar
import recurring_ical_events
import vobject
from ical.calendar_stream import IcsCalendarStream
from icalendar import Calendar
from icalevents.icalparser import parse_events

BEIJING = ZoneInfo("Asia/Shanghai")
BEGIN, END = datetime(2026, 10, 1, tzinfo=BEIJING), datetime(2026, 11, 1, tzinfo=BEIJING)


class Time(Structure):
    _fields_ = [(name, c_int) for name in "year month day hour minute second is_date is_daylight".split()] + [("zone", c_void_p)]


class Span(Structure):
    _fields_ = [("start", c_long), ("end", c_long), ("is_busy", c_int)]


def by_libical(text: str) -> list[datetime]:
    library, starts, callback = CDLL("libical.so.3"), [], CFUNCTYPE(None, c_void_p, POINTER(Span), c_void_p)
    library.icalparser_parse_string.restype = library.icalcomponent_get_inner.restype = c_void_p
    library.icalcomponent_get_inner.argtypes = [c_void_p]
    library.icaltime_from_string.restype = Time
    library.icalcomponent_foreach_recurrence.argtypes = [c_void_p, Time, Time, callback, c_void_p]
    calendar = library.icalparser_parse_string(text.encode())
    begin, end = map(library.icaltime_from_string, (b"20261001T000000Z", b"20261101T000000Z"))
    add = callback(lambda event, span, data: starts.append(datetime.fromtimestamp(span[0].start, timezone.utc)))
    library.icalcomponent_foreach_recurrence(library.icalcomponent_get_inner(calendar), begin, end, add, None)
    return starts


readers = {
    "recurring-ical-events": lambda text: [one.start for one in recurring_ical_events.of(Calendar.from_ical(text)).between(BEGIN, END)],
    "vobject": lambda text: list(vobject.readOne(text).vevent.getrruleset(addRDate=True)),
    "libical": by_libical,
    "icalevents": lambda text: [one.start for one in parse_events(text, start=BEGIN, end=END)],
    "ical": lambda text: [one.dtstart for one in IcsCalendarStream.calendar_from_ics(text).timeline.overlapping(BEGIN, END)],
}
for day in (date(2026, 10, 10), date(2026, 10, 11)):
    print(f"{day:%a %m-%d}", "is worked" if chinese_calendar.is_workday(day) else "is off")
for name in ("rule", "dates"):
    text = Path(f"{name}.ics").read_bytes().decode()
    for reader, starts in readers.items():
        told = sorted(start.astimezone(BEIJING) for start in starts(text))
        print(name, reader, "|", *(f"{start:%d-%H:%M}" for start in told))
PY
cat >read.mjs <<'JS'
import { readFileSync } from "fs";
import ICAL from "ical.js";
import ical from "node-ical";

const form = new Intl.DateTimeFormat("sv-SE", { timeZone: "Asia/Shanghai", day: "2-digit", hour: "2-digit", minute: "2-digit" });
for (const name of ["rule", "dates"]) {
  const text = readFileSync(`${name}.ics`, "utf8");
  const starts = new ICAL.Event(new ICAL.Component(ICAL.parse(text)).getFirstSubcomponent("vevent")).iterator();
  const byIcalJs = [];
  for (let start = starts.next(); start; start = starts.next()) byIcalJs.push(start.toJSDate());
  const event = Object.values(ical.sync.parseICS(text)).find((one) => one.type === "VEVENT");
  const span = { from: new Date("2026-10-01"), to: new Date("2026-11-01") };
  const byNodeIcal = ical.expandRecurringEvent(event, span).map((one) => one.start);
  for (const [reader, told] of Object.entries({ "ical.js": byIcalJs, "node-ical": byNodeIcal })) {
    console.log(name, reader, "|", told.map((start) => form.format(start).replace(" ", "-")).join(" "));
  }
}
JS
found=$(LD_LIBRARY_PATH=usr/lib/x86_64-linux-gnu venv/bin/python read.py && node read.mjs)
echo "$found"
[ "$found" = "Sat 10-10 is worked
Sun 10-11 is off
rule recurring-ical-events | 08-12:10 09-12:10 10-12:10 12-12:10
rule vobject | 08-12:10 09-12:10 10-12:10 12-12:10
rule libical | 08-12:10 09-12:10 10-20:10 12-12:10
rule icalevents | 08-12:10 09-12:10 12-12:10
rule ical | 08-12:10 09-12:10 10-12:10 12-12:10
dates recurring-ical-events | 08-12:10 09-12:10 10-12:10 12-12:10
dates vobject | 08-12:10 09-12:10 10-12:10 12-12:10
dates libical | 08-12:10 09-20:10 10-20:10 12-20:10
dates icalevents | 08-12:10
dates ical | 09-12:10 10-12:10 12-12:10
rule ical.js | 08-12:10 09-12:10 10-12:10 12-12:10
rule node-ical | 08-12:10 09-12:10 12-12:10
dates ical.js | 09-12:10 10-12:10 12-12:10
dates node-ical | 08-12:10" ]
