#!/usr/bin/env bash
# ical 14.3.1 (PyPI; Home Assistant's calendars are built on it) takes China's time for UTC in a file of Outlook. A zone without
# daylight saving is one STANDARD block with no rule there (TZID:China Standard Time, DTSTART:16010101T000000, +0800), and its
# DTSTART says since when it holds (RFC 5545, 3.6.5). ical takes the onsets of a block from RRULE and RDATE alone, finds none,
# and answers with an offset of 0 and no error: noon in Beijing comes eight hours too late. New York's zone, whose blocks have
# rules, is read right, so a test with it says that all is well. ical's compatibility mode, on here, looks Windows' names up,
# but only in files whose PRODID is Exchange's. An RDATE that repeats DTSTART helps. icalendar 7.3.2, vobject 0.9.9 (PyPI),
# ical.js 2.2.1 and ts-ics 2.4.6 (npm) read all four right. Public makers of timetables in China write the same block.
# Source: Observance.as_ruleset and IcsTimezoneInfo.utcoffset in ical/timezone.py; ical/compat/make_compat.py.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check ical==14.3.1 icalendar==7.3.2 vobject==0.9.9
cd "$folder"
npm install --silent --no-audit --no-fund ical.js@2.2.1 ts-ics@2.4.6 >/dev/null
write() { # PRODID, TZID, lines of its blocks
    printf '%s\r\n' BEGIN:VCALENDAR VERSION:2.0 "PRODID:$1" BEGIN:VTIMEZONE "TZID:$2" "${@:3}" END:VTIMEZONE \
        BEGIN:VEVENT UID:yoga@example.com DTSTAMP:20261130T000000Z "DTSTART;TZID=$2:20261130T121000" DURATION:PT40M SUMMARY:Yoga \
        END:VEVENT END:VCALENDAR
}
outlook="-//Microsoft Corporation//Outlook 16.0 MIMEDIR//EN"
china=(BEGIN:STANDARD DTSTART:16010101T000000 TZOFFSETFROM:+0800 TZOFFSETTO:+0800)
write "$outlook" "China Standard Time" "${china[@]}" END:STANDARD >outlook-china.ics
write "$outlook" "China Standard Time" "${china[@]}" RDATE:16010101T000000 END:STANDARD >outlook-china-rdate.ics
write "Microsoft Exchange Server 2010" "China Standard Time" "${china[@]}" END:STANDARD >exchange-china.ics
write "$outlook" "Eastern Standard Time" \
    BEGIN:STANDARD DTSTART:16011104T020000 TZOFFSETFROM:-0400 TZOFFSETTO:-0500 "RRULE:FREQ=YEARLY;BYDAY=1SU;BYMONTH=11" END:STANDARD \
    BEGIN:DAYLIGHT DTSTART:16010311T020000 TZOFFSETFROM:-0500 TZOFFSETTO:-0400 "RRULE:FREQ=YEARLY;BYDAY=2SU;BYMONTH=3" END:DAYLIGHT \
    >outlook-new-york.ics
cat >read.py <<'PY'
import sys
from datetime import datetime, timezone
from pathlib import Path

from ical.calendar_stream import IcsCalendarStream
from ical.compat import enable_compat_mode
from icalendar import Calendar
from vobject import readOne


def by_ical(text: str) -> datetime:
    with enable_compat_mode(text) as content:
        return IcsCalendarStream.calendar_from_ics(content).events[0].dtstart


readers = {
    "ical": by_ical,
    "icalendar": lambda text: Calendar.from_ical(text).events[0].start,
    "vobject": lambda text: readOne(text).vevent.dtstart.value,
}
text = Path(f"{sys.argv[1]}.ics").read_bytes().decode()
starts = {reader: start(text).astimezone(timezone.utc) for reader, start in readers.items()}
print(sys.argv[1], "|", *(f"{reader} {start:%H:%MZ}" for reader, start in starts.items()), end=" ", flush=True)
PY
cat >read.mjs <<'JS'
import { readFileSync } from "fs";
import ICAL from "ical.js";
import { convertIcsCalendar } from "ts-ics";

const text = readFileSync(`${process.argv[2]}.ics`, "utf8");
const event = new ICAL.Event(new ICAL.Component(ICAL.parse(text)).getFirstSubcomponent("vevent"));
const shown = (start) => `${start.toISOString().slice(11, 16)}Z`;
console.log("ical.js", shown(event.startDate.toJSDate()), "ts-ics", shown(convertIcsCalendar(undefined, text).events[0].start.date));
JS
found=$(
    for name in outlook-china outlook-china-rdate exchange-china outlook-new-york; do
        venv/bin/python read.py "$name"
        node read.mjs "$name"
    done
)
echo "$found"
[ "$found" = "outlook-china | ical 12:10Z icalendar 04:10Z vobject 04:10Z ical.js 04:10Z ts-ics 04:10Z
outlook-china-rdate | ical 04:10Z icalendar 04:10Z vobject 04:10Z ical.js 04:10Z ts-ics 04:10Z
exchange-china | ical 04:10Z icalendar 04:10Z vobject 04:10Z ical.js 04:10Z ts-ics 04:10Z
outlook-new-york | ical 17:10Z icalendar 17:10Z vobject 17:10Z ical.js 17:10Z ts-ics 17:10Z" ]
