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
    told: list[str] = []

    def leave_out(found: re.Match[str]) -> str:
        if found[0].startswith("<style>"):
            return found[0]
        begins = ">" if found[0][0] == ">" else 'href="'
        told.append(found[0].removeprefix(begins))
        return begins + _HERE

    first, *rest = _styled(_TOLD.sub(leave_out, page))
    return first + "".join([text + markup for text, markup in zip(told, rest, strict=True)])


@lru_cache(256)
def _styled(shape: str) -> list[str]:
    """The styled markup around each text."""
    return _inline.inline(shape).split(_HERE)
