"""WSGI entry point: the app for the web server, and for `flask`."""

# ruff: noqa: E402 - what is imported is here to stay: looking through it for what is not takes a sixth of the start
import gc

gc.disable()

import os
import sys

from click import ClickException

import config
from booking.app import create_app
from booking.db import clock_offset, connections, migrating
from booking.extensions import db
from booking.telemetry import logs
from booking.web import orphans, single_process
from booking.web.i18n import catalogues

try:
    catalogues.check(config.CATALOGUES)
    app = create_app()
    orphans.end_with_parent()
    logs.configure(app.config["LOG_FORMAT"])
    with app.app_context():
        clock_offset.follow(db.engine)
        connections.check_pooling(db.engine)
    if "FLASK_RUN_FROM_CLI" not in os.environ:  # commands run beside the web process
        single_process.claim(app)
        with app.app_context():
            migrating.warn_of_mismatch(db.engine)
except ClickException as refused:  # a sentence: a web server would show a trace
    refused.show()
    sys.exit(refused.exit_code)

# What was imported is not looked through later either, nor is anything after every 700 new objects.
gc.freeze()
gc.set_threshold(20_000, 10, 10)
gc.enable()
