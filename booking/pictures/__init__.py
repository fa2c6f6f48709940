"""Pictures that stations upload: `encoding` makes ours of a file, `storage` keeps them in the database."""

from booking.pictures.encoding import LARGE, MOST_BYTES, NAME_LENGTH, Encoded, encode
from booking.pictures.storage import find, forget, is_stored, is_uploaded, keep, store
