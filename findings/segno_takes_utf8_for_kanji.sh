#!/usr/bin/env bash
# segno 1.6.6 (PyPI): Chinese words become other words. Text that neither ISO 8859-1 nor Shift_JIS can hold is encoded in
# UTF-8, and then the bytes, not the text, are tested for kanji mode: where each pair of them could be a Shift_JIS character
# they are packed as such, so that a reader that does as ISO/IEC 18004 says shows what Shift_JIS makes of them: 朝阳, 排队 and
# the name 林晓 are each three rare characters, while 三楼 and 预约 are read as they were written. encoding="utf-8" does not
# help (梅林, right without it, is wrong with it); mode="byte" does, and so does any ASCII in front, which an address has.
# Source: data_to_bytes, is_kanji and find_mode in segno/encoder.py.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check segno==1.6.6 zxing-cpp==3.1.1 pillow==12.0.0
cd "$folder"
npm install --silent --no-audit --no-fund jsqr@1.4.0 pngjs@7.0.0 >/dev/null
cat >read.js <<'JS'
const { readFileSync } = require("fs");
const { PNG } = require("pngjs");
const jsQR = require("jsqr");
for (const name of process.argv.slice(2)) {
  const image = PNG.sync.read(readFileSync(name));
  console.log(jsQR(new Uint8ClampedArray(image.data), image.width, image.height).data);
}
JS
found=$(venv/bin/python - <<'PY'
from subprocess import run

import segno
import zxingcpp
from PIL import Image

words = "三楼 预约 朝阳 排队 林晓 梅林".split()
ways = {"as it is": {}, "utf-8": {"encoding": "utf-8"}, "byte": {"mode": "byte", "encoding": "utf-8"}}
for way, how in ways.items():
    names = [f"{way}-{word}.png" for word in words]
    for word, name in zip(words, names):
        segno.make(word, micro=False, **how).save(name, scale=6)
    by_zxing = [zxingcpp.read_barcodes(Image.open(name).convert("L"))[0].text for name in names]
    by_jsqr = run(["node", "read.js", *names], capture_output=True, check=True, text=True).stdout.split()
    for reader, read in {"zxing-cpp": by_zxing, "jsQR": by_jsqr}.items():
        shown = ["".join(filter(str.isprintable, text)) for text in read]
        print(way, "|", reader, "|", *(word if word == text else f"{word}:{text}" for word, text in zip(words, shown)))
PY
)
echo "$found"
[ "$found" = "as it is | zxing-cpp | 三楼 预约 朝阳:譛晞亠 排队:謗帝弌 林晓:譫玲剴 梅林
as it is | jsQR | 三楼 预约 朝阳:譛晞亠 排队:謗帝弌 林晓:譫玲剴 梅林
utf-8 | zxing-cpp | 三楼 预约 朝阳:譛晞亠 排队:謗帝弌 林晓:譫玲剴 梅林:譴�棊
utf-8 | jsQR | 三楼 预约 朝阳:譛晞亠 排队:謗帝弌 林晓:譫玲剴 梅林:譴棊
byte | zxing-cpp | 三楼 预约 朝阳 排队 林晓 梅林
byte | jsQR | 三楼 预约 朝阳 排队 林晓 梅林" ]
