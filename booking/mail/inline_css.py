"""The letters' style, moved into their elements. Where it goes is a matter of tags alone: pages of one shape share the work."""

import re
from functools import lru_cache

from css_inline import CSSInliner

_inline = CSSInliner(keep_at_rules=True, load_remote_stylesheets=False)
# What differs between two pages of one shape: texts and addresses. The style itself is let through.
_TOLD = re.compile(r'<style>.*?</style>|>[^<]*[^\s<][^<]*|href="[^"]*', re.DOTALL)
_HERE = "\ue000"


def inline(page: str) -> str:
    """The page with its style in the elements; texts and addresses stay as they are, letter by letter."""
    shape, told = _taken_out(page)
    return _put_back(told, _styled(shape))


def piece(words: str, style: str) -> str:
    """The same for a piece of a page, which brings no style of its own."""
    if "<" not in words:
        return words
    shape, told = _taken_out(words)
    return _put_back(told, _styled_piece(shape, style))


def _taken_out(words: str) -> tuple[str, list[str]]:
    told: list[str] = []

    def leave_out(found: re.Match[str]) -> str:
        if found[0].startswith("<style>"):
            return found[0]
        begins = ">" if found[0][0] == ">" else 'href="'
        told.append(found[0].removeprefix(begins))
        return begins + _HERE

    return _TOLD.sub(leave_out, words), told


def _put_back(told: list[str], styled: list[str]) -> str:
    first, *rest = styled
    return first + "".join([text + markup for text, markup in zip(told, rest, strict=True)])


@lru_cache(256)
def _styled(shape: str) -> list[str]:
    """The styled markup around each text."""
    return _inline.inline(shape).split(_HERE)


@lru_cache(256)
def _styled_piece(shape: str, style: str) -> list[str]:
    return _inline.inline_fragment(shape, style).split(_HERE)
