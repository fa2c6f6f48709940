#!/usr/bin/env bash
# lunardate 0.3.0, LunarCalendar 0.0.9 and borax 4.1.3 (PyPI): months of the Chinese calendar that begin on the wrong day.
# A month begins on the day, of UTC+8, on which the moon is new (GB/T 33661-2017). lunardate has one of 1978 a day early,
# whose new moon was eight minutes past midnight: Mid-Autumn, the month's 15th, is 16 September for 17 September, and so is
# every lunar birthday of that month. It has one of 1954 a day late, though the moon was new at half past eight in the
# evening. LunarCalendar and borax are a day late in September 2089. zhdate 0.1, sxtwl 2.0.7 and lunar_python 1.4.8 are right.
# Source: the new moons as ephem 4.2.1 computes them, below; a new moon that is within a minute of midnight and yet to come
# (2057, 2097), where they differ as well, nobody can tell so exactly.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check lunardate==0.3.0 zhdate==0.1 sxtwl==2.0.7 LunarCalendar==0.0.9 \
    borax==4.1.3 lunar_python==1.4.8 ephem==4.2.1
found=$("$folder/venv/bin/python" -W ignore - <<'PY'
from datetime import date, datetime, timedelta

import ephem
import sxtwl
from borax.calendars.lunardate import LunarDate as Borax
from lunar_python import Solar
from lunarcalendar import Converter
from lunarcalendar import Solar as OfLunarCalendar
from lunardate import LunarDate
from zhdate import ZhDate

READERS = {
    "lunardate": lambda when: LunarDate.from_solar_date(when.year, when.month, when.day).day,
    "zhdate": lambda when: ZhDate.from_datetime(datetime(when.year, when.month, when.day)).lunar_day,
    "sxtwl": lambda when: sxtwl.fromSolar(when.year, when.month, when.day).getLunarDay(),
    "LunarCalendar": lambda when: Converter.Solar2Lunar(OfLunarCalendar(when.year, when.month, when.day)).day,
    "borax": lambda when: Borax.from_solar(when).day,
    "lunar_python": lambda when: Solar.fromYmd(when.year, when.month, when.day).getLunar().getDay(),
}
for about in (date(1954, 11, 20), date(1978, 8, 28), date(2089, 9, 1)):
    new_moon = ephem.next_new_moon(about).datetime() + timedelta(hours=8)
    told = {name: reader(new_moon.date()) for name, reader in READERS.items()}
    print(f"{new_moon:%Y-%m-%d %H:%M} is the first |", *(f"{name}: {day}" for name, day in told.items() if day != 1))
print("Mid-Autumn of 1978 | lunardate:", LunarDate(1978, 8, 15).to_solar_date(), "| zhdate:", ZhDate(1978, 8, 15).to_datetime().date())
PY
)
echo "$found"
[ "$found" = "1954-11-25 20:30 is the first | lunardate: 30
1978-09-03 00:08 is the first | lunardate: 2
2089-09-04 23:57 is the first | LunarCalendar: 30 borax: 30
Mid-Autumn of 1978 | lunardate: 1978-09-16 | zhdate: 1978-09-17" ]
