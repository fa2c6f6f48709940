"""Wording: names of jobs, of kinds of letters and of time zones; and what people typed, made safe for a letter."""

import re
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import get_timezone_name
from flask_babel import get_locale
from flask_babel import lazy_gettext as _

from booking.model import Station
from booking.people.validation import is_advert
from booking.sanitise import one_line

ADDRESS = re.compile(r"\S*(?:://|www\.|@|＠)\S*|[\w.-]*\w[.。．]\w{2,}\S*", re.IGNORECASE)
INSIDE_DOMAIN = re.compile(r"(?<=\w[.。．])(?=\w{2})")
LONGEST_NAME = 20

# The jobs of the scheduler, as pages and letters call them.
JOBS: dict[str, Any] = {
    "learn_workdays": _("更新工作日历"),
    "apply_policy": _("套用上级的规则"),
    "plan_slots": _("排出场次"),
    "freeze_draws": _("封存抽签名单"),
    "run_draws": _("抽签"),
    "open_slots": _("放号"),
    "start_slots": _("开始场次"),
    "release_no_shows": _("释放没来的人的名额"),
    "promote": _("候补补上"),
    "finish_slots": _("结束场次"),
    "write_worker_digests": _("写日报"),
    "write_manager_digests": _("写管理员日报"),
    "write_reminders": _("写开始前的提醒"),
    "take_up_stuck_letters": _("重发卡住的邮件"),
    "send_letters": _("发通知邮件"),
    "send_digests": _("发日报"),
    "read_bounces": _("读退信"),
    "count_station_days": _("统计驿站的每一天"),
    "store_station_readings": _("记下驿站名称的读音，供搜索"),
    "import_stations": _("导入驿站"),
    "carry_out_transfers": _("调动管理员"),
    "forget": _("清理旧数据"),
    "forget_names": _("隐去旧预约的姓名"),
}
# The kinds of letters.
LETTERS: dict[str, Any] = {
    "code": _("验证码"),
    "already_registered": _("已经注册过"),
    "manager_invitation": _("邀请管理员"),
    "second_factor": _("两步验证"),
    "staff_transfer": _("管理员调动"),
    "confirmed": _("预约成功"),
    "promoted": _("候补补上了"),
    "draw_result": _("抽签结果"),
    "calendar": _("日历文件"),
    "seat_open": _("空出名额，先到先得"),
    "watch_link": _("候补未成，可以在线看"),
    "slot_moved": _("场次换了时间、场地或老师"),
    "moved_down": _("移到候补最前面"),
    "slot_message": _("管理员写给场次上的人"),
    "slot_cancelled": _("场次取消"),
    "booking_cancelled": _("预约已取消"),
    "booking_removed": _("管理员移除了预约"),
    "strike": _("爽约"),
    "attendance_missing": _("没有人签到"),
    "reminder": _("开始前的提醒"),
    "worker_digest": _("日报"),
    "manager_digest": _("管理员日报"),
}


def tidy(text: str) -> str:
    """The text without blanks at line ends and with at most one empty line in a row."""
    lines: list[str] = []
    for line in (line.rstrip() for line in text.strip().splitlines()):
        if line or lines[-1]:
            lines.append(line)
    return "\n".join(lines) + "\n"


@lru_cache(1024)
def plain_name(name: str) -> str:
    """A name that no mail program turns into a link: a space behind the dot in it, no addresses, and of limited length."""
    shown = one_line(name)
    shown = ADDRESS.sub("", shown) if is_advert(shown) else INSIDE_DOMAIN.sub(" ", shown)
    return one_line(shown)[:LONGEST_NAME].strip()


def zone_words(station: Station) -> str:
    """The name of the station's time zone in the current language, such as 中国时间."""
    return _zone_words(station.zone_name, get_locale())


@lru_cache(100)
def _zone_words(zone: str, locale: Locale) -> str:
    return get_timezone_name(ZoneInfo(zone), locale=locale)
