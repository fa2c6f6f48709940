"""Uploaded pictures, from the memory of the process. What stands at an address never changes."""

from flask import Response, abort

from booking import pictures
from booking.extensions import db
from booking.web.cache import store
from booking.web.headers import FOREVER
from booking.web.worker.blueprint import pages


@pages.get("/pictures/<name>/<any(card, large):size>.jpg")
def picture(name: str, size: str) -> Response:
    cached = store.of_this_process().pictures
    content = cached.get((name, size)) if pictures.is_uploaded(name) else abort(404)
    if content is None:
        content = pictures.find(db.session(), name, size) or abort(404)
        cached[name, size] = content
    return Response(content, mimetype="image/jpeg", headers={"Cache-Control": FOREVER})
