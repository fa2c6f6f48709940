"""The blueprint that the worker's pages hang on, and what their templates may ask."""

import secrets

from flask import Blueprint

from booking import seats

pages = Blueprint("worker", __name__)
pages.add_app_template_global(lambda: secrets.token_urlsafe(12), "new_key")
pages.add_app_template_global(seats.is_late, "is_late")
