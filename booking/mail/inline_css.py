"""CSS inlining: moves a letter's style into its elements. Pages that differ in texts and addresses alone share the work."""

import re
from functools import lru_cache

from css_inline import CSSInliner

_inliner = CSSInliner(keep_at_rules=True, load_remote_stylesheets=False)
# What differs between pages of the same markup: texts and addresses. The style itself is not matched as text.
_TEXTS = re.compile(r'<style>.*?</style>|>[^<]*[^\s<][^<]*|href="[^"]*', re.DOTALL)
_PLACEHOLDER = "\ue000"


def inline(page: str) -> str:
    """The page with its style in the elements. Texts and addresses are unchanged, as is a page without a style."""
    if "<style>" not in page:
        return page
    texts: list[str] = []

    def take_out(found: re.Match[str]) -> str:
        if found[0].startswith("<style>"):
            return found[0]
        prefix = ">" if found[0][0] == ">" else 'href="'
        texts.append(found[0].removeprefix(prefix))
        return prefix + _PLACEHOLDER

    first, *rest = _inlined(_TEXTS.sub(take_out, page))
    return first + "".join([text + markup for text, markup in zip(texts, rest, strict=True)])


@lru_cache(256)
def _inlined(markup: str) -> list[str]:
    """The inlined markup around each text."""
    return _inliner.inline(markup).split(_PLACEHOLDER)
