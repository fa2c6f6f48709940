"""The blueprint that the worker's pages hang on, and what their templates may ask."""

from flask import Blueprint

from booking import seats
from booking.web import blanks

pages = Blueprint("worker", __name__)
pages.add_app_template_global(blanks.new_key, "new_key")
pages.add_app_template_global(blanks.shown_at, "shown_at")
pages.add_app_template_global(seats.is_late, "is_late")
