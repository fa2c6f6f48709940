#!/usr/bin/env bash
# openpyxl 3.1.5 (PyPI) and exceljs 4.4.0 (npm): a date in one of the number formats that are built in for Chinese comes out
# as a number. 2026年11月30日 is format 31, 11月30日 is 58, 下午12时10分 is 34: ECMA-376-1 (18.8.30) defines 27 to 36 and 50 to
# 58 for zh-cn by their ids alone, so that a valid file has no <numFmt> for them. openpyxl ends at 49 and calls them "General";
# exceljs gives no format. python-calamine 0.9.1 and SheetJS 0.18.5 know them for dates. So in one column a date typed one
# way is a date, and typed another way 46356.5. Source: BUILTIN_FORMATS in openpyxl/styles/numbers.py; exceljs has the
# Chinese formats in lib/xlsx/defaultnumformats.js, but lib/xlsx/xform/style/numfmt-xform.js takes the English "f" only.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check openpyxl==3.1.5 python-calamine==0.9.1
cd "$folder"
npm install --silent --no-audit --no-fund exceljs@4.4.0 xlsx@0.18.5 >/dev/null 2>&1
cat >make.py <<'PY'
import zipfile
from io import BytesIO

from openpyxl import Workbook

book, plain = Workbook(), BytesIO()
for row, known in enumerate((14, 31, 58, 34), start=1):
    book.active.append([known, 46356 + 730 / 1440])
    book.active.cell(row, 2).number_format = f'0.0"{known}"'
book.save(plain)
with zipfile.ZipFile(plain) as old, zipfile.ZipFile("dates.xlsx", "w") as made:
    for name in old.namelist():
        content = old.read(name).decode()
        if name == "xl/styles.xml":
            begin, end = content.index("<numFmts"), content.index("</numFmts>") + len("</numFmts>")
            content = content[:begin] + content[end:]
            for given, known in zip(range(164, 168), (14, 31, 58, 34)):
                content = content.replace(f'numFmtId="{given}"', f'numFmtId="{known}"')
        made.writestr(name, content)
PY
cat >read.py <<'PY'
import openpyxl
from python_calamine import CalamineWorkbook

sheets = {
    "openpyxl": list(openpyxl.load_workbook("dates.xlsx").active.values),
    "calamine": CalamineWorkbook.from_path("dates.xlsx").get_sheet_by_index(0).to_python(),
}
for reader, rows in sheets.items():
    print(reader, "|", *(f"{int(known)}: {str(value)[:16]}" for known, value in rows))
PY
cat >read.js <<'JS'
const exceljs = require("exceljs");
const sheetjs = require("xlsx");
const told = (rows) => rows.map(([known, value]) => `${known}: ${value}`.slice(0, 20)).join(" ");
const book = new exceljs.Workbook();
book.xlsx.readFile("dates.xlsx").then(() => {
  const rows = [];
  book.worksheets[0].eachRow((row) => rows.push([row.getCell(1).value, row.getCell(2).value]));
  console.log("exceljs |", told(rows.map(([known, value]) => [known, value.toISOString ? value.toISOString() : value])));
  const sheet = sheetjs.readFile("dates.xlsx").Sheets.Sheet;
  console.log("SheetJS |", told(sheetjs.utils.sheet_to_json(sheet, { header: 1, raw: false })));
});
JS
found=$(venv/bin/python make.py && venv/bin/python read.py && node read.js)
echo "$found"
[ "$found" = "openpyxl | 14: 2026-11-30 12:10 31: 46356.5069444444 58: 46356.5069444444 34: 46356.5069444444
calamine | 14: 2026-11-30 12:10 31: 2026-11-30 12:10 58: 2026-11-30 12:10 34: 2026-11-30 12:10
exceljs | 14: 2026-11-30T12:10 31: 46356.5069444444 58: 46356.5069444444 34: 46356.5069444444
SheetJS | 14: 11/30/26 31: 11/30/26 58: 11/30/26 34: 12:10:00" ]
