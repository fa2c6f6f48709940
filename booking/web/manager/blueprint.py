"""Blueprint of the manager pages, and their shared helpers: actor, errors, the page with its status."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from flask import Blueprint, current_app, flash, render_template, request, url_for
from flask_babel import gettext, ngettext
from flask_login import current_user
from sqlalchemy.exc import IntegrityError
from werkzeug.wrappers import Response

from booking import clock, seats
from booking.errors import RuleViolation
from booking.extensions import db
from booking.model import Activity, Booking, Person, Plan, Slot, Station, Zone
from booking.people import clean_email
from booking.queries import disclosure, draw_views, first_steps, manager
from booking.sanitise import one_line, plain
from booking.slots import Planned
from booking.web import htmx, job_status
from booking.web.forms.fields import Form
from booking.web.i18n import formatting

pages = Blueprint("manager", __name__, url_prefix="/manage")
pages.context_processor(
    lambda: {
        "late_since": job_status.late_since,
        "awaits_word": _awaits_word,
        "first_steps": _first_steps,
        "draws_of": _draws_of,
    }
)

Answer = str | Response | tuple[str, int]
UPLOAD = "manager.import_sheet"
WITH_PICTURE = ("manager.add_activity", "manager.activity")
FILE_BUFFER = 1024 * 1024  # Werkzeug's decoder counts what it holds of a file as well


@pages.url_value_preprocessor
def _allow_uploads(endpoint: str | None, _values: object) -> None:
    """A sheet or a picture may be larger than other requests; this runs before anything reads the form."""
    if endpoint == UPLOAD:
        request.max_content_length = request.max_form_memory_size = current_app.config["MAX_UPLOAD_LENGTH"]
    elif endpoint in WITH_PICTURE:
        request.max_content_length = current_app.config["MAX_PICTURE_LENGTH"]
        request.max_form_memory_size = FILE_BUFFER


def _awaits_word(slot: Slot) -> bool:
    return seats.awaits_word(slot, clock.now())


def _draws_of(several: Sequence[Slot]) -> dict[int, draw_views.Awaited]:
    return draw_views.awaited(db.session(), several, clock.now())


def _first_steps(station: Station) -> first_steps.FirstSteps:
    return first_steps.first_steps(db.session(), station.id)


def actor() -> int:
    """Who acts, for the history."""
    person_id: int = current_user.person_id
    return person_id


def sought() -> str:
    """The search text of this request."""
    return one_line(request.values.get("q", ""))[:100]


def sought_email() -> str:
    """The same as an e-mail address is stored, whether it is one or not."""
    try:
        return clean_email(sought())
    except RuleViolation:
        return plain(sought()).lower()


@contextmanager
def heard(form: Form, station: Station) -> Iterator[None]:
    """Show a rule's refusal in the form; the view goes on to render it."""
    try:
        with zone_races():
            yield
    except RuleViolation as no:
        form.blame(no, refused_words(no, station))


def save(form: Any, station: Station, verb: Callable[..., Any], item: Any, sentence: str) -> Response | None:
    """Save an item of the catalogue as the form says; None when the form was not sent, or says what is wrong with it."""
    if form.validate_on_submit():
        with heard(form, station):
            wanted = form.fill(type(item)(id=item.id, station_id=item.station_id))
            did = verb(db.session, wanted, clock.now(), actor())
            return done(planned_words(did) if did else sentence, list_of(item, station))
    return None


def list_of(item: Activity | Plan | Zone, station: Station) -> str:
    """The address of the list that an item of the catalogue stands in."""
    return url_for({Activity: ".activities", Plan: ".plans", Zone: ".zones"}[type(item)], code=station.code)


@contextmanager
def zone_races() -> Iterator[None]:
    """Two managers using one zone at the same instant: the database's error becomes the rule's refusal."""
    try:
        yield
    except IntegrityError as error:
        if "zone_overlap" not in str(error):
            raise
        raise RuleViolation("zone_taken") from error


def refused_words(no: RuleViolation, station: Station) -> str:
    """The sentence for a manager: "you" in a worker's sentence is another person here."""
    return formatting.reason(no, station, "at_desk")


def labels(station: Station, people: Sequence[Person], slot: Slot | None = None) -> str:
    """The people's names in one line, with hints for equal names, also of those on `slot`."""
    others = disclosure.people_on(db.session(), slot.id) if slot else ()
    about = disclosure.to_staff(db.session(), station, [*people, *others])
    return gettext("、").join(about.label(person) for person in people)


def done(sentence: str, address: str) -> Response:
    """Redirect after a committed change, with the sentence on the next page."""
    flash(sentence, "good")
    return htmx.go(address)


def shown(template: str, form: Form, **context: Any) -> tuple[str, int]:
    """A page with a form: 422 when the submitted values were refused."""
    wrong = form.is_submitted() and (form.errors or form.form_errors)
    return render_template(template, form=form, **context), 422 if wrong else 200


def changed_words(told: Sequence[Booking]) -> str:
    """The message that a slot was changed, and how many people are told."""
    people = manager.with_address(db.session(), told)
    if not people:
        return gettext("改好了。")
    return ngettext(
        "改好了，会通知 %(num)s 人。改错了就马上改回去，没发出的信会撤下。",
        "改好了，会通知 %(num)s 人。改错了就马上改回去，没发出的信会撤下。",
        people,
    )


def planned_words(did: Planned) -> str:
    """What a planning run did to the coming slots, in one sentence."""
    if not (did.added or did.moved or did.withdrawn or did.clashes):
        return gettext("已保存，已排好的场次没有变化。")
    if did.clashes:
        return gettext(
            "已保存：新增 %(added)s 场，改动 %(moved)s 场，撤下 %(withdrawn)s 场；有 %(clashes)s 场因场地冲突没有排上。",
            added=did.added,
            moved=did.moved,
            withdrawn=did.withdrawn,
            clashes=did.clashes,
        )
    return gettext(
        "已保存：新增 %(added)s 场，改动 %(moved)s 场，撤下 %(withdrawn)s 场。",
        added=did.added,
        moved=did.moved,
        withdrawn=did.withdrawn,
    )
