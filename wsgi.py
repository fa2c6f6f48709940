"""The door for `flask` and for gunicorn."""

from booking.app import create_app

app = create_app()
