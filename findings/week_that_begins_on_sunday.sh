#!/usr/bin/env bash
# chrono-node 2.10.3 (npm): its parser for Chinese, chrono.zh.hans, gives other days and times than the words say, without an error.
# 1. Its week begins on Sunday. On Wednesday 这周日 and 周日 are the Sunday that is past, and 下周日 is this week's; on Sunday 下周一,
#    tomorrow, is in eight days, a week late, and so is every 下周. Weekdays asked for on weekdays are right, so a test with
#    下周三 passes, and with forwardDate 下周 stays wrong. In China a week begins on Monday: GB/T 7408 (ISO 8601), CLDR below.
# 2. 十二点一刻, a quarter past twelve, is 12:01, and 三刻 is 12:03: it takes the number of quarters for minutes and leaves 刻 out.
# jionlp 1.5.31 (PyPI) reads all of them as a person does. chrono's README calls zh.hans partial, which names none of this.
# Source: ZHHansRelationWeekdayParser (offset + 7 - refOffset, Sunday is 0), ZHHansWeekdayParser and ZHHansTimeExpressionParser in
# src/locales/zh/hans/parsers: a minute is a number, 半 or 整.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile jionlp==1.5.31
cd "$folder"
npm install --silent --no-audit --no-fund chrono-node@2.10.3 >/dev/null
export TZ=Asia/Shanghai
cat >said.json <<'JSON'
[
  ["2026-12-02T09:00", "Wednesday", ["这周日", "周日", "下周日", "下周一", "下周三"]],
  ["2026-12-06T09:00", "Sunday", ["这周日", "下周一", "下周三"]],
  ["2026-12-02T09:00", "at", ["十二点一刻", "十二点三刻", "十二点半"]]
]
JSON
cat >read.mjs <<'JS'
import { readFileSync } from "fs";
import { zh } from "chrono-node";

for (const [from, name, said] of JSON.parse(readFileSync("said.json"))) {
  const read = said.map((text) => {
    const when = zh.hans.parseDate(text, new Date(from)).toLocaleString("sv");
    return `${text} ${name === "at" ? when.slice(5, 16) : when.slice(5, 10)}`;
  });
  console.log("chrono |", name, "|", read.join(", "));
}
console.log("CLDR | the first day of the week in China:", new Intl.Locale("zh-CN").weekInfo.firstDay);
JS
cat >read.py <<'PY'
import json
from datetime import datetime

import jionlp

for start, name, said in json.load(open("said.json")):
    base = datetime.fromisoformat(start).timestamp()
    end = 16 if name == "at" else 10
    print("jionlp |", name, "|", ", ".join(f"{text} {jionlp.parse_time(text, time_base=base)['time'][0][5:end]}" for text in said))
PY
found=$(node read.mjs && venv/bin/python read.py 2>/dev/null | grep '^jionlp')
echo "$found"
[ "$found" = "chrono | Wednesday | 这周日 11-29, 周日 11-29, 下周日 12-06, 下周一 12-07, 下周三 12-09
chrono | Sunday | 这周日 12-06, 下周一 12-14, 下周三 12-16
chrono | at | 十二点一刻 12-02 12:01, 十二点三刻 12-02 12:03, 十二点半 12-02 12:30
CLDR | the first day of the week in China: 1
jionlp | Wednesday | 这周日 12-06, 周日 12-06, 下周日 12-13, 下周一 12-07, 下周三 12-09
jionlp | Sunday | 这周日 12-06, 下周一 12-07, 下周三 12-09
jionlp | at | 十二点一刻 12-02 12:15, 十二点三刻 12-02 12:45, 十二点半 12-02 12:30" ]
