"""Cache: one response cache of a web process, for what everybody asks for at the same moment.

`store` holds it, `middleware` answers from it before Flask is asked, `placeholders` are the holes for a reader's own
values, `gzip_parts` compresses the rest once, `lru` bounds it all in bytes.
"""
