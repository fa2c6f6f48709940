"""The words of one language for templates, looked up once for a whole letter and not at every sentence."""

from functools import lru_cache
from typing import Any

from babel import Locale
from flask_babel import get_translations
from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup


@lru_cache
def locale(language: str) -> Locale:
    """For `force_locale`, which would parse the name each time."""
    return Locale.parse(language)


def sentences() -> dict[str, Any]:
    """`gettext` and `ngettext` for a template, in the language that is current now."""
    known = get_translations()

    @pass_context
    def gettext(context: Context, said: str, **values: Any) -> str:
        return _fill(context, known.ugettext(said), values)

    @pass_context
    def ngettext(context: Context, one: str, many: str, num: int, **values: Any) -> str:
        return _fill(context, known.ungettext(one, many, num), {"num": num, **values})

    return {"_": gettext, "gettext": gettext, "ngettext": ngettext}


def _fill(context: Context, said: str, values: dict[str, Any]) -> str:
    """As Jinja does it: in a page, what is filled in is escaped."""
    return (Markup(said) if context.eval_ctx.autoescape else said) % values  # noqa: S704 - our own sentences
