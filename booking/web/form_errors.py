"""Form errors for screen readers: a refused form's page says so in its title, and begins at the first wrong field.

Without script, and for every form alike: the answer's status says that something was refused, its markup where.
"""

import re

from flask import Flask, Response
from flask_babel import gettext
from markupsafe import escape

# The first wrong field; a group of choices, and what is no one field's, are known by their sentence.
FIELD = re.compile('aria-invalid="true"')
SENTENCE = re.compile('(?<=<p )class="error"|(?<=<div )class="notice no"')


def register(app: Flask) -> None:
    app.after_request(_announce)


def _announce(response: Response) -> Response:
    if response.status_code == 422 and response.mimetype == "text/html":
        response.set_data(announced(response.get_data(as_text=True)))
    return response


def announced(html: str) -> str:
    """The page of a refused form, or the part of one."""
    said = escape(gettext("有错："))
    html = html.replace("<title>", f"<title>{said}", 1)
    main, end, rest = html.partition("</main>")
    field, sentence = FIELD.search(main), SENTENCE.search(main)
    if field and (sentence is None or field.start() < sentence.start()):
        main = f"{main[: field.start()]}autofocus {main[field.start() :]}"
    elif sentence:
        main = f'{main[: sentence.start()]}tabindex="-1" autofocus {main[sentence.start() :]}'
    return f"{main}{end}{rest}"
