#!/usr/bin/env bash
# chinesecalendar 1.11.0 and holidays 0.109 (PyPI): they agree on every day of 2004 to 2026 but one.
# Saturday 31 December 2005 was a working day by the State Council's notice on the holidays of 2006 (1 to 3 January
# off, 31 December worked). It belongs to the notice of the year that follows: chinesecalendar calls it a day off,
# holidays a working day. Who takes a year's table from a year's notice misses what it says of the year before.
# Source: the packages themselves, compared day by day; the notice is at www.gov.cn (2006年部分节假日安排).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check chinesecalendar==1.11.0 holidays==0.109
found=$("$folder/venv/bin/python" - <<'PY'
from datetime import date, timedelta

import chinese_calendar
import holidays

china = holidays.country_holidays("CN", years=range(2004, 2027))
when = date(2004, 1, 1)
while when.year < 2027:
    ours, theirs = chinese_calendar.is_workday(when), china.is_working_day(when)
    if ours != theirs:
        print(f"{when:%Y-%m-%d %a} chinesecalendar={ours} holidays={theirs}")
    when += timedelta(days=1)
PY
)
echo "$found"
[ "$found" = "2005-12-31 Sat chinesecalendar=False holidays=True" ]
