"""Blueprint of the admin pages. All of them are for admins only; others get a 404."""

from flask import Blueprint, abort, make_response, render_template, request
from werkzeug.wrappers import Response

from booking.extensions import db
from booking.model import Person, Station
from booking.queries import admin, network_places
from booking.sanitise import one_line
from booking.web import job_status
from booking.web.errors import read_id
from booking.web.forms.rules import Form
from booking.web.security.permissions import admins_only

pages = Blueprint("admin", __name__, url_prefix="/admin")
pages.context_processor(
    lambda: {
        "late_since": job_status.late_since,
        "mail_paused": job_status.mail_paused,
        "letters_held": job_status.letters_held,
        "has_network": lambda: network_places.any_node(db.session()),
    }
)


@pages.before_request
def only_admins() -> None:
    admins_only()


def the_station(code: str) -> Station:
    return admin.station(db.session(), code) or abort(404)


def the_person(person_id: int) -> Person:
    person = db.session.get(Person, person_id)
    return person if person and person.email and not person.deleted_at else abort(404)


def show(template: str, wrong: Form | None = None, **words: object) -> Response:
    """A page; 422 when something in its form is wrong."""
    return make_response(render_template(template, **words), 422 if wrong and wrong.errors else 200)


def sought() -> tuple[str, int]:
    """Search text and page number (pagination) of this request."""
    return one_line(request.args.get("q", ""))[:100], read_id(request.args.get("page", ""))
