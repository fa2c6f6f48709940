"""The door for `flask` and for the web server."""

import gc
import sys

from click import ClickException

import config
from booking.app import create_app
from booking.telemetry import logs
from booking.web import orphans
from booking.web.i18n import catalogues

try:
    catalogues.check(config.CATALOGUES)
    app = create_app()
    orphans.end_with_parent()
    logs.configure(app.config["LOG_FORMAT"])
except ClickException as refused:  # a sentence: a web server would show a trace
    refused.show()
    sys.exit(refused.exit_code)

# What is here to stay need not be looked through again and again for what is not, nor after every 700 new objects.
gc.collect()
gc.freeze()
gc.set_threshold(20_000, 10, 10)
