"""User agents: a browser's User-Agent header as two words that its owner recognises."""

from flask_babel import lazy_gettext as _

from booking.web.account.blueprint import pages

# The first match counts: browsers of later entries also claim to be earlier ones.
PROGRAMS = (
    ("MicroMessenger", _("微信")),
    ("wxwork", _("企业微信")),
    ("DingTalk", _("钉钉")),
    ("HuaweiBrowser", _("华为浏览器")),
    ("MiuiBrowser", _("小米浏览器")),
    ("Edg", "Edge"),
    ("Firefox", "Firefox"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("OpenHarmony", "HarmonyOS"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS", "Mac"),
    ("Linux", "Linux"),
)


@pages.app_template_filter("browser")
def describe(agent: str) -> str:
    """`微信 · iPhone`; the beginning of the header itself for an unknown browser."""
    words = [next((str(word) for sign, word in known if sign in agent), "") for known in (PROGRAMS, SYSTEMS)]
    return " · ".join(filter(None, words)) or agent[:40] or "?"
