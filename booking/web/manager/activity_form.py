"""Activity form with a picture of the station's own: uploaded ones are stored at once, and stay chosen after an error."""

from flask import current_app, request
from werkzeug.datastructures import MultiDict
from werkzeug.sansio.multipart import Data as Piece
from werkzeug.sansio.multipart import Epilogue, Field, File, MultipartDecoder, NeedData

from booking import clock, pictures
from booking.errors import RuleViolation
from booking.extensions import db
from booking.model import Activity, Station
from booking.web.forms.programme import ActivityForm
from booking.web.manager.blueprint import refused_words


def activity_form(station: Station, activity: Activity | None = None) -> ActivityForm:
    form = ActivityForm(obj=activity)
    sent = request.files.get("upload")
    if sent and sent.filename:
        try:
            encoded = pictures.encode(sent.read(pictures.MOST_BYTES + 1))
            form.picture.data = pictures.store(db.session, encoded, clock.now())
        except RuleViolation as no:
            form.fault = refused_words(no, station)
    return _offering(form, activity)


def too_large_form(station: Station, activity: Activity | None) -> ActivityForm:
    """What was typed, where the file is larger than we read."""
    form = ActivityForm(formdata=_typed_before_the_file(), obj=activity)
    no = RuleViolation("picture_large", limit=pictures.MOST_BYTES // 1024 // 1024)
    form.picture.errors = [refused_words(no, station)]
    return _offering(form, activity)


def _offering(form: ActivityForm, activity: Activity | None) -> ActivityForm:
    """The uploaded pictures that can be chosen: the activity's, and the one just sent."""
    names = dict.fromkeys([form.picture.data, activity.picture if activity else None])
    form.offer([name for name in names if name and pictures.is_stored(db.session(), name)])
    return form


def _typed_before_the_file() -> MultiDict[str, str]:
    """The fields of a body that is cut within its file. Browsers send them in the order of the form: the file is last."""
    typed: MultiDict[str, str] = MultiDict()
    boundary = request.mimetype_params.get("boundary", "").encode("ascii", "replace")
    decoder = MultipartDecoder(boundary, max_parts=current_app.config["MAX_FORM_PARTS"])
    decoder.receive_data(request.environ["wsgi.input"].read(current_app.config["MAX_FORM_MEMORY_SIZE"]))
    name = ""
    try:
        while not isinstance(event := decoder.next_event(), Epilogue | File | NeedData):
            if isinstance(event, Field):
                name = event.name
            elif isinstance(event, Piece) and name:
                typed[name] = typed.get(name, "") + event.data.decode("utf-8", "replace")
    except ValueError:
        pass  # no such form
    return typed
