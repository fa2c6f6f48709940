"""Consent of people who did not register by themselves, or before the privacy notice changed: given on its page."""

from flask import flash, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response

from booking import clock, people
from booking.extensions import db
from booking.web import htmx
from booking.web.account.blueprint import pages
from booking.web.security.permissions import sign_in_required


@pages.post("/account/consent")
@sign_in_required
def agree() -> Response:
    if people.agree(db.session, current_user.person_id, request.form.get("version", ""), clock.now()):
        flash(_("记下了，不再提醒。"), "good")
    else:
        flash(_("隐私说明刚刚改过，请看一眼新的。"), "wait")
    return htmx.go(url_for("privacy.notice"))
