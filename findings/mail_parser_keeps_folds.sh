#!/usr/bin/env bash
# mail-parser 4.8.0 (PyPI): a subject of plain ASCII that is folded over two lines, as every program folds what is longer
# than 78 characters (RFC 5322, 2.2.3), keeps the line break and the space of the fold; one in encoded words does not.
# So the same subject differs by how long it is, a search for it fails, and it is two lines in a log. The email package
# unfolds it. Source: mailparser/core.py, __getattr__ and _header_value.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check mail-parser==4.8.0
found=$("$folder/venv/bin/python" - <<'PY'
from email import message_from_string, policy

import mailparser

head = "From: a@example.com\nTo: b@example.com\nSubject: {}\n\nHello\n"
subjects = {
    "plain": "Nobody was checked in, please say what happened:\n Tue 12:10 Yoga at Noon",
    "encoded": "=?utf-8?q?Nobody_was_checked_in=2C_please_say_what_happened=3A?=\n =?utf-8?q?_Tue_12=3A10?=",
}
for name, subject in subjects.items():
    mail = head.format(subject)
    print(name, "| mail-parser:", repr(mailparser.parse_from_string(mail).subject))
    print(name, "| email:", repr(str(message_from_string(mail, policy=policy.default)["Subject"])))
PY
)
echo "$found"
[ "$found" = "plain | mail-parser: 'Nobody was checked in, please say what happened:\n Tue 12:10 Yoga at Noon'
plain | email: 'Nobody was checked in, please say what happened: Tue 12:10 Yoga at Noon'
encoded | mail-parser: 'Nobody was checked in, please say what happened: Tue 12:10'
encoded | email: 'Nobody was checked in, please say what happened: Tue 12:10'" ]
