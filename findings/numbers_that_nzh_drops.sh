#!/usr/bin/env bash
# nzh 1.0.14 (npm): decodeS, which turns Chinese numerals into a number, leaves out what it does not know and says nothing:
# 两百 is 0 (两 is how one says two before 百 and 千), 二〇二六 is 226, 廿三 is 3, and 二百五, said for 250, is 205. What it
# writes itself it reads back (二百 is 200). cn2an 0.5.24 (PyPI) reads all of them as a person does in its
# mode "normal", and raises ValueError in "strict" for most. 〇 is how GB/T 15835-2011 has years written in characters.
# cn2an has its own: in a sentence, transform() makes 两三点 (two or three o'clock) "23点" and 零下五度 "0下5度".
# Source: unCL in src/index.js of nzh; cn2an/transform.py.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check cn2an==0.5.24 setuptools==80.9.0
cd "$folder"
npm install --silent --no-audit --no-fund nzh@1.0.14 >/dev/null
found=$(
    node - <<'JS'
const { decodeS } = require("nzh/cn");
const said = "二百 两百 两千零二十六 二〇二六 廿三 二百五 一万二".split(" ");
console.log("nzh |", said.map((one) => `${one} ${decodeS(one)}`).join(" "));
JS
    venv/bin/python - <<'PY'
from cn2an import cn2an, transform

said = "二百 两百 两千零二十六 二〇二六 廿三 二百五 一万二".split()
print("cn2an |", *(f"{one} {cn2an(one, 'normal')}" for one in said))
print("cn2an, sentences |", *(f"{one} {transform(one)}" for one in "三楼二〇三室 两三点 三五个人 零下五度".split()))
PY
)
echo "$found"
[ "$found" = "nzh | 二百 200 两百 0 两千零二十六 26 二〇二六 226 廿三 3 二百五 205 一万二 10002
cn2an | 二百 200 两百 200 两千零二十六 2026 二〇二六 2026 廿三 23 二百五 250 一万二 12000
cn2an, sentences | 三楼二〇三室 3楼203室 两三点 23点 三五个人 35个人 零下五度 0下5度" ]
