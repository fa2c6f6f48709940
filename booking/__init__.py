"""Lunch-hour booking: seats for activities at stations; `app` builds the Flask application, `cli` its commands."""
