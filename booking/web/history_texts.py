"""History texts: events as sentences."""

from collections.abc import Callable
from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _

from booking.model import Event
from booking.web.forms.admin import StationForm
from booking.web.forms.programme import ActivityForm, PlanForm
from booking.web.forms.station import NUMBERS, ZoneForm
from booking.web.i18n.messages import BRIEF

# About a booking: what happened to whom. `withdrawn` and `cancelled` mean something else without a booking.
OF_BOOKINGS: dict[str, Any] = {
    "booked": _("约上了"),
    "reserved": _("管理员留了座位"),
    "waiting": _("开始候补"),
    "promoted": _("候补补上了"),
    "checked_in": _("签到"),
    "walked_in": _("现场入座"),
    "undone": _("撤销签到"),
    "press_undone": _("刚约上就撤销"),
    "place_restored": _("撤销预约，候补回到原来的位次"),
    "came_late": _("释放后到场，不再现场候补"),
    "strike_dropped": _("收回爽约"),
    "given_up": _("放弃"),
    "slot_cancelled": _("因场次取消而取消"),
    "removed": _("管理员移除"),
    "put_back": _("移除后又恢复"),
    "account_deleted": _("因账号删除而取消"),
    "released": _("没有来，座位释放"),
    "release_missed": _("没有来，座位释放（迟了，不记爽约）"),
    "vouched": _("管理员说大家都来了，算签到"),
    "unrecorded": _("没有人登记到场，也不记爽约"),
    "strike": _("记一次爽约"),
    "forgiven": _("免除爽约"),
    "standby": _("现场候补"),
    "skipped": _("候补时被跳过"),
    "moved_down": _("名额减少，移到候补最前面"),
    "moved_back": _("名额改回来，座位还在"),
    "reinstated": _("场次恢复，照旧"),
    "slot_moved": _("场次换了时间或场地"),
    "host_changed": _("场次换了老师"),
    "withdrawn": _("因约上别的场次，退出候补"),
    "expired": _("候补没有等到"),
}
OF_SLOTS: dict[str, Any] = {
    "planned": _("场次排上了"),
    "moved": _("场次改动"),
    "withdrawn": _("场次撤下"),
    "cancelled": _("场次取消"),
    "brought_back": _("场次恢复"),
    "opened": _("放号"),
    "started": _("开始"),
    "done": _("结束"),
    "release_held": _("没有按时释放座位，等管理员决定"),
    "release_ordered": _("管理员决定释放座位"),
    "attendance_missing": _("到了释放的时间还没有人签到，等管理员决定"),
    "attendance_begun": _("开始签到了，过几分钟再释放没来的座位"),
    "all_came": _("管理员说大家都来了"),
    "word_undone": _("撤销“大家都来了”"),
    "note": _("改票上的提示"),
    "message": _("给场次上的人写信"),
    "message_withdrawn": _("撤回了给场次上的人写的信"),
    "capacity": _("改名额"),
    "plan_added": _("新的排期"),
    "plan_changed": _("改排期"),
    "plan_stopped": _("停掉排期"),
    "exception": _("某一天另作安排"),
    "zone_saved": _("保存场地"),
    "zone_closed": _("停用场地"),
    "activity_saved": _("保存活动"),
    "activity_retired": _("收起活动"),
    "policy": _("改规则"),
    "calendar": _("改日历"),
    "door_paired": _("配对门口屏幕"),
    "door_renewed": _("解除所有门口屏幕"),
    "holidays_imported": _("导入放假安排"),
    "headline": _("开关公开的成绩页"),
    "station_created": _("驿站建好了"),
    "station_changed": _("改驿站资料"),
    "station_closed": _("驿站关闭"),
    "station_reopened": _("驿站重新开放"),
    "demo_loaded": _("装入演示数据"),
    "restored": _("从备份恢复了数据"),
    "letters_let_go": _("放行扣住的邮件"),
    "letters_discarded": _("丢弃扣住的邮件"),
    "second_factor_required": _("改两步验证的要求"),
    "manager_invited": _("发邮件邀请管理员"),
    "invitation_accepted": _("接受了管理员邀请"),
    "invitation_withdrawn": _("撤回管理员邀请"),
    "appointed": _("任命管理员"),
    "dismissed": _("撤下管理员"),
    "door_helper_granted": _("门口助手，有效到"),
    "door_helper_ended": _("撤下门口助手"),
    "guest": _("登记访客"),
    "phone_shown": _("看了完整的手机号"),
}
OF_PEOPLE: dict[str, Any] = {
    "created": _("建立账号"),
    "signed_in": _("登录了"),
    "signed_out": _("退出了登录"),
    "password_changed": _("改密码"),
    "profile_changed": _("改个人资料"),
    "disabled": _("账号停用了"),
    "enabled": _("账号恢复了"),
    "account_deleted": _("账号注销了"),
    "second_factor_on": _("开启两步验证"),
    "second_factor_off": _("关闭两步验证"),
    "second_factor_reset": _("两步验证被重置"),
    "recovery_code_used": _("用恢复码登录"),
    "recovery_codes_renewed": _("换了新的恢复码"),
    "address_changed": _("改邮箱"),
    "mail_stopped": _("邮件送不到，停发了"),
    "mail_resumed": _("邮件又能送到了"),
    "privacy_agreed": _("同意了隐私说明"),
    "feed_opened": _("开通日历订阅"),
    "feed_closed": _("停用日历订阅"),
    "followed": _("关注了一个活动"),
    "unfollowed": _("不再关注一个活动"),
}
# The columns whose changes are told, by the labels of the forms that change them, and of `slots.moving`.
COLUMNS: dict[str, Any] = {
    name: label
    for form in (StationForm, ZoneForm, ActivityForm, PlanForm)
    for name, label in form.labels().items()
    if not name.endswith(("_id", "_days")) and name not in ("picture", "position")
} | {"zone": _("场地")}
SKIPPED: dict[str, Any] = BRIEF | {
    "no_show": _("没有来"),
    "late_cancel": _("临时取消"),
    "replanned": _("排期改了"),
    "came_late": _("释放后到场"),
}


def said(event: Event) -> str:
    """What happened, with its details: the numbers, the date, the reason."""
    what = str(_what(event))
    if more := _more(event):
        return gettext("%(what)s：%(more)s", what=what, more=more)
    return what


def _what(event: Event) -> object:
    tables = (OF_BOOKINGS, OF_SLOTS, OF_PEOPLE) if event.booking_id else (OF_SLOTS, OF_PEOPLE, OF_BOOKINGS)
    return next((table[event.kind] for table in tables if event.kind in table), event.kind)


def _more(event: Event) -> str:
    details = event.details or {}
    if event.kind in DETAILS:
        return DETAILS[event.kind](details)
    if changed := _changed(details.get("changed") or {}):
        return gettext("、").join([*([details["name"]] if "name" in details else []), *changed])
    if details.get("note"):
        return str(details["note"])
    if "name" in details:
        return str(details["name"])
    if "date" in details:
        return str(details["date"])
    reason = event.reason or ""
    return str(SKIPPED.get(reason, reason))


def _capacity(details: dict[str, Any]) -> str:
    return gettext("%(was)s → %(became)s", was=details.get("was"), became=details.get("capacity"))


def _message(details: dict[str, Any]) -> str:
    return gettext("%(n)s 人：%(text)s", n=details.get("people", 0), text=details.get("text", ""))


def _policy(details: dict[str, Any]) -> str:
    numbers = {*details.get("was", {}).items()} ^ {*details.get("became", {}).items()}
    return gettext("、").join(sorted({str(NUMBERS.get(name, name)) for name, _value in numbers}))


DETAILS: dict[str, Callable[[dict[str, Any]], str]] = {"capacity": _capacity, "message": _message, "policy": _policy}


def _changed(columns: dict[str, list[str]] | list[str]) -> list[str]:
    """Before and after, for the columns that have a label; for a list only their labels."""
    if isinstance(columns, list):
        return [str(COLUMNS[name]) for name in columns if name in COLUMNS]
    return [
        gettext("%(what)s %(was)s → %(became)s", what=COLUMNS[name], was=was or "—", became=became or "—")
        for name, (was, became) in columns.items()
        if name in COLUMNS and was != became
    ]
