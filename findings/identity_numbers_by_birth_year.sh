#!/usr/bin/env bash
# python-stdnum 2.2 (PyPI), stdnum.cn.ric: right identity numbers are refused, most of all those of people older than their district.
# The first six digits are the county where one's household was registered when the number was given (地址码, GB 11643-1999): with
# the first card, at sixteen (regulations of 1984 and 1985), and to all others from October 1999 (国发〔1999〕15号). 2.2, whose
# list of counties has years, asks that the code was in use in the year of birth. So it refuses a first card from Pudong, a
# district since 1992, for one born in 1980; everyone from Changping County born before 1982 (it asks for 110201, which no
# card ever had); and 440524188001010014, an example in the standard itself. Of those born in 1985 it takes nobody from
# nine of Beijing's 16 districts, and from the inner seven all, so a test with a number from Chaoyang passes.
# It does not know residents' permits of Hong Kong, Macao and Taiwan (810000, 820000, 830000: 国办发〔2018〕81号, article 3) and
# foreigners' permanent cards since December 2023 (9, two digits of a province, three of ISO 3166; the same check digit). Of these
# validator 13.15.35 (npm) refuses Taiwan, idcard 4.2.0 foreigners and id-validator 1.3.0 all four; the rest all three take.
# Source: get_birth_place in stdnum/cn/ric.py and the years in cn/loc.dat; tests/test_cn_ric.doctest has it as meant.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check python-stdnum==2.2
cd "$folder"
npm install --silent --no-audit --no-fund validator@13.15.35 id-validator@1.3.0 idcard@4.2.0 >/dev/null
cat >check.py <<'PY'
import json

from stdnum.cn import ric
from stdnum.exceptions import ValidationError

BEIJING = [f"1101{district:02}" for district in (1, 2, *range(5, 10), *range(11, 20))]
PEOPLE = {
    "Chaoyang, 1985": "11010519850615001",
    "Fangshan, 1960": "11011119600615001",
    "Changping County, 1965": "11022119650615001",
    "the same as 110201": "11020119650615001",
    "Tongzhou, 1985": "11011219850615001",
    "Pudong, 1980": "31011519800615001",
    "Yubei, 1988": "50011219880615001",
    "example in the standard": "11010519491231002",
    "the other example": "44052418800101001",
    "Hong Kong": "81000019900615001",
    "Macao": "82000019900615001",
    "Taiwan": "83000019900615001",
    "foreigner": "91184019900615001",
}


def complete(digits):
    weighted = sum(int(digit) * pow(2, 17 - place, 11) for place, digit in enumerate(digits))
    return digits + "10X98765432"[weighted % 11]


def verdict(number):
    try:
        return ric.validate(number) and "ok"
    except ValidationError as error:
        return type(error).__name__


for year in range(1965, 2010, 10):
    none = [code for code in BEIJING if not ric.is_valid(complete(f"{code}{year}0615001"))]
    print(f"born in {year}: {len(none)} of {len(BEIJING)} districts refused")
numbers = {name: complete(digits) for name, digits in PEOPLE.items()}
json.dump(numbers, open("numbers.json", "w"))
for name, number in numbers.items():
    print(f"{name} | {number} | {verdict(number)}")
PY
cat >check.js <<'JS'
const { isIdentityCard } = require("validator");
const IdValidator = require("id-validator");
const { verify } = require("idcard");
const byList = new IdValidator(require("id-validator/src/GB2260"));
const checks = {
  validator: (number) => isIdentityCard(number, "zh-CN"),
  "id-validator": (number) => byList.isValid(number),
  idcard: verify,
};
const numbers = Object.entries(require("./numbers.json"));
for (const [name, takes] of Object.entries(checks)) {
  console.log(`${name} refuses:`, numbers.filter(([, number]) => !takes(number)).map(([who]) => who).join(", "));
}
JS
found=$(venv/bin/python check.py && node check.js)
echo "$found"
[ "$found" = "born in 1965: 9 of 16 districts refused
born in 1975: 9 of 16 districts refused
born in 1985: 9 of 16 districts refused
born in 1995: 8 of 16 districts refused
born in 2005: 2 of 16 districts refused
Chaoyang, 1985 | 110105198506150014 | ok
Fangshan, 1960 | 110111196006150016 | InvalidComponent
Changping County, 1965 | 110221196506150010 | InvalidComponent
the same as 110201 | 110201196506150015 | ok
Tongzhou, 1985 | 110112198506150018 | InvalidComponent
Pudong, 1980 | 310115198006150018 | InvalidComponent
Yubei, 1988 | 500112198806150012 | InvalidComponent
example in the standard | 11010519491231002X | ok
the other example | 440524188001010014 | InvalidComponent
Hong Kong | 810000199006150010 | InvalidComponent
Macao | 820000199006150012 | InvalidComponent
Taiwan | 830000199006150014 | InvalidComponent
foreigner | 91184019900615001X | InvalidComponent
validator refuses: Taiwan
id-validator refuses: Hong Kong, Macao, Taiwan, foreigner
idcard refuses: foreigner" ]
