"""The door for `flask` and for the web server."""

import gc
import os

from booking.app import create_app
from booking.web import single_process

app = create_app()
if "FLASK_RUN_FROM_CLI" not in os.environ:  # commands run beside the web process
    single_process.claim(app)

# What is here to stay need not be looked through again and again for what is not, nor after every 700 new objects.
gc.collect()
gc.freeze()
gc.set_threshold(20_000, 10, 10)
