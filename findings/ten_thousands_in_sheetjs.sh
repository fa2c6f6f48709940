#!/usr/bin/env bash
# SheetJS (xlsx 0.18.5, and its 0.20.3 as @e965/xlsx, npm) shows other numbers than Excel for cells of Chinese sheets, without an
# error: in sheet_to_csv, and in sheet_to_json with raw: false. The values themselves are right, so take those.
# 1. 0\.0,"万" is how Excel is told to show ten thousands: the comma divides by a thousand, and a point stands before the last
#    digit. 12345 is 1.2万, and SheetJS says .12万; 1280000 is 128.0万, and it says 12.80万. Thousands by 0.0,"千" are right, so a
#    test with those passes. It lays the digits into the format from the right, and counts the comma as a place for one.
# 2. [DBNum1][$-804]General and [DBNum2][$-804]General, 中文小写数字 and 中文大写数字 in Excel's list of formats, show 15 as 一十五
#    and 壹拾伍. SheetJS takes [$-804], a language without a sign of a currency, for dollars: 15 seats are $15.
# 3. [$-804]aaaa, the weekday in the same list, is $aaaa.
# numfmt 4.0.1 (npm) has 1 and 3 right and leaves the digits of 2; 上午/下午, which SheetJS knows, it copies.
# Source: ECMA-376-1, 18.8.31, on the comma, the backslash, DBNum and [$currency-locale]; eval_fmt in ssf.js of SheetJS, whose open
# issue 2696 has the dollar for another language.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check XlsxWriter==3.3.1
cd "$folder"
npm install --silent --no-audit --no-fund xlsx@0.18.5 @e965/xlsx@0.20.3 numfmt@4.0.1 >/dev/null
venv/bin/python - <<'PY'
import xlsxwriter

book = xlsxwriter.Workbook("made.xlsx")
sheet = book.add_worksheet()
cells = (
    (12345, r'0\.0,"万"'),
    (1280000, r'0\.0,"万"'),
    (12345, '0.0,"千"'),
    (15, "[DBNum1][$-804]General"),
    (15, "[DBNum2][$-804]General"),
    (46356, "[$-804]aaaa;@"),
    (46356.5069444444, '[$-804]上午/下午h"时"mm"分";@'),
)
for row, (value, form) in enumerate(cells):
    sheet.write_number(row, 0, value, book.add_format({"num_format": form}))
book.close()
PY
cat >read.mjs <<'JS'
import { format } from "numfmt";
import { readFileSync } from "fs";
import * as sheetjs from "xlsx";
import * as newer from "@e965/xlsx";

const content = readFileSync("made.xlsx");
for (const [name, library] of Object.entries({ "0.18.5": sheetjs, "0.20.3": newer })) {
  const sheet = library.read(content).Sheets.Sheet1;
  console.log(`SheetJS ${name} |`, library.utils.sheet_to_csv(sheet).trim().split("\n").join(" "));
}
const { Sheet1 } = sheetjs.read(content, { cellNF: true }).Sheets;
const cells = Object.entries(Sheet1).filter(([place]) => !place.startsWith("!")).map(([, cell]) => cell);
console.log("numfmt |", cells.map(({ z, v }) => format(z, v, { locale: "zh-CN" })).join(" "));
console.log("values |", cells.map(({ v }) => v).join(" "));
JS
found=$(node read.mjs)
echo "$found"
[ "$found" = "SheetJS 0.18.5 | .12万 12.80万 12.3千 \$15 \$15 \$aaaa 下午12时10分
SheetJS 0.20.3 | .12万 12.80万 12.3千 \$15 \$15 \$aaaa 下午12时10分
numfmt | 1.2万 128.0万 12.3千 15 15 星期一 上午/下午12时10分
values | 12345 1280000 12345 15 15 46356 46356.5069444444" ]
