#!/usr/bin/env bash
# python-calamine 0.9.1 (PyPI): an .ods whose content.xml has line breaks between rows and cells, as gnumeric's ssconvert
# writes it, cannot be read at all: "Expecting 'table-cell', found 'Text…'". The white space is valid there, LibreOffice
# opens the file, and pandas reads it with engine="odf". So calamine alone does not read .ods as people send them.
# Source: read_row in the crate calamine, src/ods.rs.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check python-calamine==0.9.1 pandas==2.3.3 odfpy==1.4.1
cd "$folder"
found=$(venv/bin/python - <<'PY'
import re
import zipfile

import pandas
from python_calamine import CalamineWorkbook

pandas.DataFrame({"a": [1]}).to_excel("plain.ods", engine="odf", index=False)
with zipfile.ZipFile("plain.ods") as plain, zipfile.ZipFile("indented.ods", "w") as made:
    for name in plain.namelist():
        content = plain.read(name).decode()
        if name == "content.xml":
            content = re.sub(r"(<table:table-(row|cell)[ >])", r"\n  \1", content)
        made.writestr(name, content)
for name in ("plain.ods", "indented.ods"):
    try:
        told = CalamineWorkbook.from_path(name).get_sheet_by_index(0).to_python()
    except Exception as error:
        told = re.sub(r"Text.*", "Text…", str(error))
    print(name, "| calamine:", told, "| pandas:", pandas.read_excel(name, engine="odf").to_dict("list"))
PY
)
echo "$found"
[ "$found" = "plain.ods | calamine: [['a'], [1.0]] | pandas: {'a': [1]}
indented.ods | calamine: Expecting 'table-cell', found 'Text… | pandas: {'a': [1]}" ]
