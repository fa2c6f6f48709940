"""User agents: a browser's User-Agent header as two words that its owner recognises."""

from booking.web.account.blueprint import pages

# The first match counts: browsers of later entries also claim to be earlier ones.
PROGRAMS = (
    ("MicroMessenger", "微信"),
    ("wxwork", "企业微信"),
    ("DingTalk", "钉钉"),
    ("HuaweiBrowser", "华为浏览器"),
    ("MiuiBrowser", "小米浏览器"),
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
    words = [next((word for sign, word in known if sign in agent), "") for known in (PROGRAMS, SYSTEMS)]
    return " · ".join(filter(None, words)) or agent[:40] or "?"
