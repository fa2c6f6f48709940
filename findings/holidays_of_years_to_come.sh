#!/usr/bin/env bash
# holidays 0.109 (PyPI), China: for years whose days off nobody has announced it names exchanged days off by a rule of
# its own, "(observed)", with no mark that tells them from announced ones, and no weekend that is worked for them.
# The State Council announces both each November for the next year only. With observed=False the statutory days are
# left, which are law and can be computed. chinesecalendar raises NotImplementedError for such a year instead.
# Source: country_holidays("CN", years=2030) below; holidays/countries/china.py.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check chinesecalendar==1.11.0 holidays==0.109
found=$("$folder/venv/bin/python" - <<'PY'
from datetime import date

import chinese_calendar
import holidays

guessed = holidays.country_holidays("CN", years=2030)
by_law = holidays.country_holidays("CN", years=2030, observed=False)
for when in sorted(guessed.keys() - by_law.keys()):
    print(f"{when:%Y-%m-%d %a} {guessed[when]}")
print("weekends worked in 2030:", len([when for when in guessed.weekend_workdays if when.year == 2030]))
try:
    chinese_calendar.is_workday(date(2030, 2, 6))
except NotImplementedError:
    print("chinesecalendar: NotImplementedError")
PY
)
echo "$found"
[ "$found" = "2030-02-06 Wed Chinese New Year's Eve (observed)
2030-02-07 Thu Chinese New Year (Spring Festival) (observed)
weekends worked in 2030: 0
chinesecalendar: NotImplementedError" ]
