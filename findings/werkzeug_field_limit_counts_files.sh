#!/usr/bin/env bash
# Werkzeug 3.1.9 (PyPI): `max_form_memory_size` is documented as the largest size of a form field that is no file, but a
# file counts too: the decoder compares the limit with all that it holds, and it reads 64 KiB at a time. Below 64 KiB every
# file that is longer than the limit is refused with 413, and at exactly 64 KiB it depends on the bytes: zeros pass, while
# a photo is refused, for the decoder keeps what follows a line break, which may begin a boundary. A test with a file of
# zeros says that uploads work, and people's photos do not. Leave some 4 KiB more than 64 for a form that takes files.
# Source: MultipartDecoder.receive_data and _parse_data in werkzeug/sansio/multipart.py.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check Werkzeug==3.1.9
found=$("$folder/venv/bin/python" - <<'PY'
from io import BytesIO
from random import Random

from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.wrappers import Request

PARTS = (
    b'------WebKitFormBoundary7MA4YWxkTrZu0gW\r\nContent-Disposition: form-data; name="photo"; filename="a.jpg"\r\nContent-Type: image/jpeg\r\n\r\n',
    b"\r\n------WebKitFormBoundary7MA4YWxkTrZu0gW--\r\n",
)


def upload(content: bytes, limit: int) -> str:
    body = content.join(PARTS)
    sent = {"CONTENT_TYPE": "multipart/form-data; boundary=----WebKitFormBoundary7MA4YWxkTrZu0gW", "CONTENT_LENGTH": str(len(body))}
    request = Request({"REQUEST_METHOD": "POST", "wsgi.input": BytesIO(body)} | sent)
    request.max_form_memory_size = limit
    try:
        return "all of it" if request.files["photo"].read() == content else "something else"
    except RequestEntityTooLarge:
        return "413"


photos = [Random(seed).randbytes(2_000_000) for seed in range(8)]
for limit in (50_000, 65_536, 69_632):
    told = [upload(photo, limit) for photo in photos]
    print(limit, "zeros:", upload(bytes(2_000_000), limit), "photos:", told.count("all of it"), "of", len(told))
PY
)
echo "$found"
[ "$found" = "50000 zeros: 413 photos: 0 of 8
65536 zeros: all of it photos: 0 of 8
69632 zeros: all of it photos: 8 of 8" ]
