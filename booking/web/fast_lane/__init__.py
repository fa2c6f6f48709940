"""Fast path: what is answered before Flask is asked: the press, the station's page and its polls.

At an opening nearly every request is one of these. Unusual ones are passed to the app, which starts again from the
beginning.
"""
