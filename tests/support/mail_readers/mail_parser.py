"""What mail-parser reads in each of the files: a list in JSON. Its folder is the first argument."""

import base64
import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, sys.argv[1])

import mailparser


def read(mail: Any) -> dict[str, Any]:
    assert not mail.has_defects, mail.defects
    return {
        "subject": mail.subject,
        "sender": list(*mail.from_),
        "to": [address for _, address in mail.to],
        "date": mail.date.isoformat(),
        "message_id": mail.message_id,
        "text": "".join(mail.text_plain),
        "page": "".join(mail.text_html),
        "files": [
            [one["mail_content_type"], one["filename"], base64.b64decode(one["payload"]).decode()]
            for one in mail.attachments
        ],
        "unsubscribe": mail.headers.get("List-Unsubscribe", ""),
    }


sys.stdout.write(json.dumps([read(mailparser.parse_from_bytes(Path(name).read_bytes())) for name in sys.argv[2:]]))
