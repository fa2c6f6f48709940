#!/usr/bin/env bash
# pypinyin 0.55.0 (PyPI) and pinyin-pro 3.29.4 (npm): surnames read as if they were words. pypinyin has no notion of a
# surname, and gives characters that are little else a reading that no family has: 阚 hǎn (kàn), 卜 bo as in 萝卜 (bǔ),
# 乜 miē (niè), 佴 èr (nài); its phrases know 尉迟 and 万俟. pinyin-pro's mode for surnames, { surname: "head" }, knows
# most of them, but not 种 (chóng), 秘 (bì), 重 (chóng) and 佴 (nài). So a list sorted or searched by either needs a table
# of surnames of its own. Source of the readings in brackets: overtrue/pinyin, data/surnames.php.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pypinyin==0.55.0
cd "$folder"
npm install --silent --no-audit --no-fund pinyin-pro@3.29.4 >/dev/null
python=$(venv/bin/python -c '
from pypinyin import Style, lazy_pinyin
print(*(f"{name} {lazy_pinyin(name, style=Style.TONE)[0]}" for name in "阚小明 卜小明 乜小明 佴小明 翟小明 种小明 尉迟小明".split()))')
script=$(node -e '
const { pinyin } = require("pinyin-pro");
const names = "阚小明 卜小明 乜小明 佴小明 翟小明 种小明 秘小明 重小明".split(" ");
console.log(...names.map((name) => `${name} ${pinyin(name, { surname: "head", type: "array" })[0]}`));')
found="pypinyin | $python
pinyin-pro | $script"
echo "$found"
[ "$found" = "pypinyin | 阚小明 hǎn 卜小明 bo 乜小明 miē 佴小明 èr 翟小明 dí 种小明 zhǒng 尉迟小明 yù
pinyin-pro | 阚小明 kàn 卜小明 bǔ 乜小明 niè 佴小明 èr 翟小明 zhái 种小明 zhǒng 秘小明 mì 重小明 zhòng" ]
