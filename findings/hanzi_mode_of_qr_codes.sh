#!/usr/bin/env bash
# jsQR 1.4.0 (npm) and OpenCV 5.0.0.93 (PyPI): a QR code in hanzi mode, which China's own standard of the QR code adds
# (GB/T 18284-2000, mode 1101) and segno 1.6.6 writes for mode="hanzi", is not read as Chinese. jsQR finds no such mode,
# passes over the four bits and takes what follows for other modes: it answers with a long number and no sign that
# anything is wrong. OpenCV raises. It raises UnicodeDecodeError for kanji mode too, which segno chooses by itself for
# words that Shift_JIS has, such as 三楼, and jsQR reads. zxing-cpp 3.1.1 reads all three.
# Source: decode in src/decoder/decodeData/index.ts of jsQR, no branch for 13; decodeKanji of qrcode.cpp gives Shift_JIS bytes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check segno==1.6.6 zxing-cpp==3.1.1 pillow==12.0.0 \
    opencv-python-headless==5.0.0.93
cd "$folder"
npm install --silent --no-audit --no-fund jsqr@1.4.0 pngjs@7.0.0 >/dev/null
cat >read.js <<'JS'
const { readFileSync } = require("fs");
const { PNG } = require("pngjs");
const jsQR = require("jsqr");
const image = PNG.sync.read(readFileSync(process.argv[2]));
console.log(jsQR(new Uint8ClampedArray(image.data), image.width, image.height)?.data);
JS
found=$(venv/bin/python - 2>/dev/null <<'PY'
from subprocess import run

import cv2
import segno
import zxingcpp
from PIL import Image


def by_opencv(name: str) -> str:
    try:
        return cv2.QRCodeDetector().detectAndDecode(cv2.imread(name))[0]
    except (cv2.error, UnicodeDecodeError) as error:
        return type(error).__name__


for mode, word in (("byte", "午间瑜伽三楼"), ("kanji", "三楼"), ("hanzi", "午间瑜伽三楼")):
    encoding = {"encoding": "utf-8"} if mode == "byte" else {}
    segno.make(word, mode=mode, micro=False, **encoding).save(f"{mode}.png", scale=6)
    by_jsqr = run(["node", "read.js", f"{mode}.png"], capture_output=True, check=True, text=True).stdout.strip()
    by_zxing = zxingcpp.read_barcodes(Image.open(f"{mode}.png").convert("L"))[0].text
    print(mode, "| zxing-cpp:", by_zxing, "| jsQR:", by_jsqr, "| OpenCV:", by_opencv(f"{mode}.png"))
PY
)
echo "$found"
[ "$found" = "byte | zxing-cpp: 午间瑜伽三楼 | jsQR: 午间瑜伽三楼 | OpenCV: 午间瑜伽三楼
kanji | zxing-cpp: 三楼 | jsQR: 三楼 | OpenCV: UnicodeDecodeError
hanzi | zxing-cpp: 午间瑜伽三楼 | jsQR: 9311362415408034195540640 | OpenCV: error" ]
