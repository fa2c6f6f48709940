"""The door for `flask` and for the web server."""

import gc

from booking.app import create_app
from booking.db import clock_offset, connections
from booking.extensions import db

app = create_app()
with app.app_context():
    clock_offset.follow(db.engine)
    connections.check_pooling(db.engine)

# What is here to stay need not be looked through again and again for what is not, nor after every 700 new objects.
gc.collect()
gc.freeze()
gc.set_threshold(20_000, 10, 10)
