#!/usr/bin/env bash
# dayjs 1.11.23 (npm) and arrow 1.4.0 (PyPI) turn noon into midnight in Chinese, without an error. dayjs writes ten past twelve as
# 2026年11月30日中午12点10分, by its own format LLL of zh-cn, and reads that back, by LLL, as ten past midnight. Of the 1,440
# minutes of a day just the 60 of the lunch hour are wrong, so a test with a morning and an evening passes (strict mode calls
# them invalid). Its parser takes a word for the afternoon's if an hour after 12 is the first that has it, and 中午 begins at 11.
# arrow has no words for the halves of the day in Chinese: its token A writes nothing, so that noon looks like midnight and ten
# past one like 01:10, and reads nothing as the morning; for such a locale its 0.15.0 promised a ParserError. moment 2.31.0 (npm)
# and pendulum 3.3.0 (PyPI) read what they write. CLDR has 上午 and 下午 for the halves, 中午 for 12 to 13. Source: meridiemMatch in
# dayjs, src/plugin/customParseFormat/index.js, and meridiem in src/locale/zh-cn.js; Locale.meridians in arrow/locales.py.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check arrow==1.4.0 pendulum==3.3.0
cd "$folder"
npm install --silent --no-audit --no-fund dayjs@1.11.23 moment@2.31.0 >/dev/null
cat >again.cjs <<'JS'
const dayjs = require("dayjs");
const moment = require("moment");
require("dayjs/locale/zh-cn");
require("moment/locale/zh-cn");
dayjs.extend(require("dayjs/plugin/customParseFormat"));
dayjs.extend(require("dayjs/plugin/localizedFormat"));

for (const [name, library] of Object.entries({ dayjs, moment })) {
  const wrong = [];
  for (let minute = 0; minute < 1440; minute++) {
    const when = library("2026-11-30T00:00").add(minute, "minute");
    const written = when.locale("zh-cn").format("LLL");
    const read = library(written, "LLL", "zh-cn");
    if (read.valueOf() !== when.valueOf()) wrong.push(`${written} is read as ${read.format("YYYY-MM-DD HH:mm")}`);
  }
  console.log([`${name} | wrong: ${wrong.length}`, ...wrong.slice(0, 1), ...wrong.slice(-1)].join(" | "));
}
JS
cat >again.py <<'PY'
from datetime import datetime

import arrow
import pendulum

FORM = "YYYY-MM-DD A h:mm"
ways = {
    "arrow": (lambda when: arrow.get(when).format(FORM, locale="zh-cn"), lambda text: arrow.get(text, FORM, locale="zh-cn")),
    "pendulum": (lambda when: pendulum.instance(when).format(FORM, locale="zh"), lambda text: pendulum.from_format(text, FORM, locale="zh")),
}
for name, (write, read) in ways.items():
    written = {hour: write(datetime(2026, 11, 30, hour, 10)) for hour in (0, 9, 12, 13, 18)}
    print(name, "|", *(f"{hour:02}:10 > {text[11:].strip()} > {read(text).strftime('%H:%M')}." for hour, text in written.items()))
PY
found=$(node again.cjs && venv/bin/python again.py)
echo "$found"
[ "$found" = "dayjs | wrong: 60 | 2026年11月30日中午12点00分 is read as 2026-11-30 00:00 | 2026年11月30日中午12点59分 is read as 2026-11-30 00:59
moment | wrong: 0
arrow | 00:10 > 12:10 > 00:10. 09:10 > 9:10 > 09:10. 12:10 > 12:10 > 00:10. 13:10 > 1:10 > 01:10. 18:10 > 6:10 > 06:10.
pendulum | 00:10 > 上午 12:10 > 00:10. 09:10 > 上午 9:10 > 09:10. 12:10 > 下午 12:10 > 12:10. 13:10 > 下午 1:10 > 13:10. 18:10 > 下午 6:10 > 18:10." ]
