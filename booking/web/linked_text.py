"""Linked text: text as it was typed, its https addresses as links. All else is escaped."""

import re

from flask import Flask
from markupsafe import Markup, escape

import config

# Up to a space, a quote or a bracket, or the punctuation of a Chinese sentence.
ADDRESS = re.compile(r"https://[^\s<>\"'`，。；：！？、（）《》〈〉「」“”‘’【】…]+", re.IGNORECASE)
ENDS = ".,;:!?)]}"  # of a sentence around an address


def register(app: Flask) -> None:
    app.add_template_filter(linked)


def linked(text: str) -> Markup:
    """Each address is shown as it is typed, so that everybody sees where it leads."""
    parts, at = [], 0
    for found in ADDRESS.finditer(text):
        address = found[0].rstrip(ENDS)
        if _is_plain(address):
            link = Markup('<a href="{0}" rel="nofollow noopener" referrerpolicy="no-referrer">{0}</a>').format(address)
            parts += [escape(text[at : found.start()]), link]
            at = found.start() + len(address)
    return Markup("").join([*parts, escape(text[at:])])


def _is_plain(address: str) -> bool:
    """Whether it names a host, and nobody before it that looks like another one."""
    parts = config.split_url(address)
    return "." in (parts.hostname or "") and "@" not in parts.netloc
