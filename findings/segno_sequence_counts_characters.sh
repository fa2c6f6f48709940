#!/usr/bin/env bash
# segno 1.6.6 (PyPI): make_sequence with a version spreads a long Chinese text over too few QR codes, and none of them can
# be read. It asks how many characters the text has, where UTF-8 needs three bytes for each, and writes more into a
# symbol than it holds: 120 characters (360 bytes) become two symbols of version 5 (106 bytes each), without an error. The
# same text in Latin letters becomes as many as it needs, and with symbol_count, where segno finds the version itself, the
# Chinese one is read too. Source: encode_sequence in segno/encoder.py, number_of_symbols_by_version; zxing-cpp 3.1.1 reads.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check segno==1.6.6 zxing-cpp==3.1.1 pillow==12.0.0
found=$("$folder/venv/bin/python" - <<'PY'
from io import BytesIO

import segno
import zxingcpp
from PIL import Image


def read(symbol: segno.QRCode) -> str:
    drawn = BytesIO()
    symbol.save(drawn, kind="png", scale=6)
    (code,) = zxingcpp.read_barcodes(Image.open(drawn).convert("L"), return_errors=True)
    return str(len(code.text)) if code.valid else code.error.type.name


texts = {"Chinese, 360 bytes": "午间瑜伽" * 30, "Latin, 360 bytes": "noon yoga " * 36}
for name, text in texts.items():
    for how in ({"version": 5}, {"symbol_count": 4}):
        symbols = segno.make_sequence(text, **how)
        print(name, how, [symbol.designator for symbol in symbols], "characters read:", *map(read, symbols))
PY
)
echo "$found"
[ "$found" = "Chinese, 360 bytes {'version': 5} ['5-L', '5-L'] characters read: Checksum Checksum
Chinese, 360 bytes {'symbol_count': 4} ['5-L', '5-L', '5-L', '5-L'] characters read: 30 30 30 30
Latin, 360 bytes {'version': 5} ['5-L', '5-L', '5-L', '5-L'] characters read: 90 90 90 90
Latin, 360 bytes {'symbol_count': 4} ['5-L', '5-L', '5-L', '5-L'] characters read: 90 90 90 90" ]
