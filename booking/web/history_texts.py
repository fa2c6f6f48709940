"""History texts: events as sentences."""

from collections.abc import Callable
from datetime import date
from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _

from booking.model import Event
from booking.web.forms.admin import StationForm
from booking.web.forms.network import NodeForm
from booking.web.forms.programme import ActivityForm, PlanForm
from booking.web.forms.station import NUMBERS, ZoneForm
from booking.web.i18n.formatting import day_date, language
from booking.web.i18n.messages import BRIEF

# About a booking: what happened to whom. `withdrawn` and `cancelled` mean something else without a booking.
OF_BOOKINGS: dict[str, Any] = {
    "booked": _("约上了"),
    "reserved": _("由驿站留了名额"),
    "waiting": _("开始候补了"),
    "promoted": _("候补补上了"),
    "checked_in": _("签到了"),
    "walked_in": _("现场入座了"),
    "undone": _("签到撤销了"),
    "press_undone": _("刚约上就撤销了"),
    "place_restored": _("撤销了预约，候补回到了原来的位次"),
    "came_late": _("释放后到场了，不再现场候补"),
    "strike_dropped": _("爽约收回了"),
    "given_up": _("取消了预约"),
    "slot_cancelled": _("因场次取消而取消了"),
    "removed": _("被驿站移除了"),
    "put_back": _("移除后又恢复了"),
    "account_deleted": _("因账号注销而取消了"),
    "released": _("没有来，名额释放了"),
    "release_missed": _("没有来，名额释放了（迟了，不记爽约）"),
    "vouched": _("按“大家都来了”算签到了"),
    "unrecorded": _("没有人登记到场，不记爽约了"),
    "strike": _("记了一次爽约"),
    "forgiven": _("爽约免除了"),
    "standby": _("排了现场候补"),
    "standby_undone": _("现场候补撤销了"),
    "skipped": _("候补时被跳过了"),
    "moved_down": _("名额减少，移到了候补最前面"),
    "moved_back": _("名额改回来了，预约还在"),
    "reinstated": _("随场次恢复了"),
    "slot_moved": _("场次换了时间或场地"),
    "host_changed": _("场次换了老师"),
    "withdrawn": _("约上了别的场次，退出了候补"),
    "expired": _("候补没有等到，结束了"),
    "drawn": _("抽中了"),
}
OF_SLOTS: dict[str, Any] = {
    "planned": _("场次排上了"),
    "moved": _("场次改动了"),
    "withdrawn": _("场次撤下了"),
    "cancelled": _("场次取消了"),
    "brought_back": _("场次恢复了"),
    "opened": _("放号了"),
    "frozen": _("抽签名单封存了"),
    "drawn": _("抽签抽完了"),
    "draw_void": _("抽签作废了"),
    "started": _("开始了"),
    "done": _("结束了"),
    "release_held": _("没有按时释放名额，留给了管理员决定"),
    "release_ordered": _("管理员决定了释放名额"),
    "attendance_missing": _("到了释放的时间还没有人签到，留给了管理员决定"),
    "attendance_begun": _("签到晚了，释放推迟了几分钟"),
    "all_came": _("管理员说了大家都来了"),
    "word_undone": _("“大家都来了”撤销了"),
    "note": _("票上的提示改了"),
    "hybrid_marked": _("标成线上线下了"),
    "hybrid_ended": _("不再是线上线下了"),
    "watch_link_set": _("在线看的链接改了"),
    "message": _("给场次上的人写了信"),
    "message_withdrawn": _("撤回了给场次上的人写的信"),
    "capacity": _("名额改了"),
    "plan_added": _("排期加了"),
    "plan_changed": _("排期改了"),
    "plan_stopped": _("排期停了"),
    "exception": _("某一天另作了安排"),
    "name_left": _("有人没带手机，在门口屏幕留了名字"),
    "name_settled": _("处理了门口屏幕上留的名字"),
    "proof_issued": _("开了出勤证明的核对网址"),
    "proof_ended": _("停用了出勤证明的核对网址"),
    "notice_published": _("公告贴出来了"),
    "notice_changed": _("公告改了"),
    "notice_ended": _("公告提前撤下了"),
    "request_sent": _("提了诉求"),
    "request_taken_up": _("答复了诉求"),
    "request_passed_on": _("转交了诉求"),
    "request_solved": _("办结了诉求"),
    "request_withdrawn": _("撤回了诉求"),
    "request_rated": _("评价了诉求"),
    "wish_made": _("提了心愿"),
    "wish_joined": _("说了也想要一个心愿"),
    "wish_taken_back": _("收回了一个心愿"),
    "wish_planned": _("答复了心愿：会开"),
    "wish_held": _("答复了心愿：已开"),
    "wish_declined": _("答复了心愿：暂时开不了"),
    "wish_merged": _("合并了心愿"),
    "wish_removed": _("移除了心愿"),
    "wish_lapsed": _("心愿很久没有人再想要，收起来了"),
    "zone_saved": _("场地保存了"),
    "zone_closed": _("场地停用了"),
    "activity_saved": _("活动保存了"),
    "activity_retired": _("活动收起来了"),
    "policy": _("规则改了"),
    "calendar": _("日历改了"),
    "door_paired": _("门口屏幕配对了"),
    "door_renewed": _("所有门口屏幕解除了配对"),
    "holidays_imported": _("放假安排导入了"),
    "headline": _("公开的成绩页开关了一次"),
    "station_created": _("驿站建好了"),
    "door_helper_granted": _("请来做门口助手了，当天有效"),
    "door_helper_ended": _("不再做门口助手了"),
    "station_changed": _("驿站资料改了"),
    "stations_imported": _("驿站从表格导入了"),
    "station_closed": _("驿站关闭了"),
    "station_reopened": _("驿站重新开放了"),
    "demo_loaded": _("演示数据装入了"),
    "restored": _("数据从备份恢复了"),
    "letters_let_go": _("扣住的邮件放行了"),
    "letters_discarded": _("扣住的邮件丢弃了"),
    "second_factor_required": _("两步验证的要求改了"),
    "manager_invited": _("发邮件邀请了管理员"),
    "invitation_accepted": _("接受了管理员邀请"),
    "invitation_withdrawn": _("撤回了管理员邀请"),
    "appointed": _("管理员任命了"),
    "dismissed": _("管理员撤下了"),
    "transfer_planned": _("管理员的调动安排了"),
    "transfer_withdrawn": _("管理员的调动取消了"),
    "transferred": _("管理员调动了"),
    "guest": _("访客登记了"),
    "policy_applied": _("上级的规则生效了"),
    "station_joined": _("驿站归到了中心"),
    "node_added": _("单位加了"),
    "node_changed": _("单位资料改了"),
    "node_moved": _("单位移了"),
    "node_closed": _("单位关闭了"),
    "node_reopened": _("单位重新开放了"),
    "node_policy": _("单位的规则改了"),
    "phone_shown": _("看了完整的手机号"),
}
OF_PEOPLE: dict[str, Any] = {
    "created": _("账号建立了"),
    "signed_in": _("登录了"),
    "signed_out": _("退出了登录"),
    "password_changed": _("密码改了"),
    "profile_changed": _("个人资料改了"),
    "disabled": _("账号停用了"),
    "enabled": _("账号恢复了"),
    "account_deleted": _("账号注销了"),
    "second_factor_on": _("两步验证开启了"),
    "second_factor_off": _("两步验证关闭了"),
    "second_factor_reset": _("两步验证重置了"),
    "recovery_code_used": _("用恢复码登录了"),
    "recovery_codes_renewed": _("恢复码换新了"),
    "address_changed": _("邮箱改了"),
    "mail_stopped": _("邮件送不到，停发了"),
    "mail_resumed": _("邮件又能送到了"),
    "overseer_appointed": _("成了统筹或查看"),
    "overseer_ended": _("不再是统筹或查看了"),
    "privacy_agreed": _("同意了隐私说明"),
    "followed": _("关注了活动"),
    "unfollowed": _("取消关注了活动"),
    "visit_rated": _("评价了活动"),
    "entered": _("报名抽签，或改了志愿"),
    "left": _("退出了抽签"),
    "paired": _("和另一位一起报名了抽签"),
    "parted": _("同去的人退出了抽签，自己的报名还在"),
    "passed_over": _("抽签轮到时被跳过了"),
    "value_typed": _("填了抽签的公开数"),
    "feed_opened": _("日历订阅开通了"),
    "feed_closed": _("日历订阅停用了"),
}
# The columns whose changes are told, by the labels of the forms that change them, and of `slots.moving`.
COLUMNS: dict[str, Any] = {
    name: label
    for form in (StationForm, ZoneForm, ActivityForm, PlanForm, NodeForm)
    for name, label in form.labels().items()
    if not name.endswith(("_id", "_days")) and name not in ("picture", "position")
} | {"zone": _("场地")}
SKIPPED: dict[str, Any] = BRIEF | {
    "no_show": _("没有来"),
    "late_cancel": _("临时取消"),
    "replanned": _("排期改了"),
    "came_late": _("释放后到场"),
    "late": _("系统没有按时抽"),
    "no_value": _("没有人填公开的数"),
    "gone": _("账号注销了"),
    "cancelled": _("场次都取消了"),
}


# A slot whose seats were drawn opens for what is left.
DRAWN_OPEN = _("抽完了，开放余下的名额和候补")


def said(event: Event) -> str:
    """What happened, with its details: the numbers, the date, the reason."""
    if (event.kind, event.reason) == ("opened", "drawn"):
        return str(DRAWN_OPEN)
    what = str(_what(event))
    if more := _more(event):
        return gettext("%(what)s：%(more)s", what=what, more=more)
    return what


def _what(event: Event) -> object:
    if "swapped_for" in (event.details or {}):
        return gettext("换到了当天的另一场")
    tables = (OF_BOOKINGS, OF_SLOTS, OF_PEOPLE) if event.booking_id else (OF_SLOTS, OF_PEOPLE, OF_BOOKINGS)
    return next((table[event.kind] for table in tables if event.kind in table), event.kind)


def _more(event: Event) -> str:
    details = event.details or {}
    if event.kind in DETAILS:
        return DETAILS[event.kind](details)
    if changed := _changed(details.get("changed") or {}):
        return gettext("、").join([*([_name(details)] if "name" in details else []), *changed])
    if details.get("note"):
        return str(details["note"])
    if "name" in details:
        return _name(details)
    if "date" in details:
        return day_date(date.fromisoformat(details["date"]))
    reason = event.reason or ""
    return str(SKIPPED.get(reason, reason))


def _name(details: dict[str, Any]) -> str:
    return str(details.get("name_en") or details["name"]) if language() == "en" else str(details["name"])


def _capacity(details: dict[str, Any]) -> str:
    return gettext("%(was)s → %(became)s", was=details.get("was"), became=details.get("capacity"))


def _message(details: dict[str, Any]) -> str:
    return gettext("%(n)s 人：%(text)s", n=details.get("people", 0), text=details.get("text", ""))


def _policy(details: dict[str, Any]) -> str:
    numbers = {*details.get("was", {}).items()} ^ {*details.get("became", {}).items()}
    return gettext("、").join(sorted({str(NUMBERS.get(name, name)) for name, _value in numbers}))


def _node_policy(details: dict[str, Any]) -> str:
    """The node, the numbers that changed, and what is locked now or no more."""
    was, became = details.get("was", {}), details.get("became", {})
    numbers = _policy({"was": was.get("own", {}), "became": became.get("own", {})})
    locks = {*was.get("locks", ())} ^ {*became.get("locks", ())}
    locked = gettext("、").join(sorted(str(NUMBERS.get(name, name)) for name in locks))
    said_of_locks = gettext("锁定或解锁了%(numbers)s", numbers=locked) if locked else ""
    return gettext("；").join(part for part in (str(details.get("name", "")), numbers, said_of_locks) if part)


def _moved(details: dict[str, Any]) -> str:
    """Of a node: from where to where. Of a station: to which centre, and from which."""
    to, was = str(details.get("to_name") or details.get("name", "")), str(details.get("was_name", ""))
    what = str(details.get("name", "")) if "to_name" in details else ""
    way = gettext("%(was)s → %(became)s", was=was, became=to) if was else to
    return gettext("；").join(part for part in (what, way) if part)


def _oversight(details: dict[str, Any]) -> str:
    role = gettext("统筹") if details.get("role") == "organiser" else gettext("查看")
    return gettext("%(node)s，%(role)s", node=details.get("name", ""), role=role)


def _drawn(details: dict[str, Any]) -> str:
    """Of the draw: the entries, and the fingerprint or the seats. Of a person's seat it says nothing more."""
    if "fingerprint" in details:
        return gettext("%(n)s 人报名，指纹 %(print)s…", n=details["entries"], print=details["fingerprint"][:8])
    if "given" in details:
        return gettext("%(n)s 人报名，抽中 %(given)s 人", n=details["entries"], given=details["given"])
    return ""


def _entered(details: dict[str, Any]) -> str:
    return gettext("共 %(n)s 个志愿", n=len(details.get("wishes", ())))


def _notice(details: dict[str, Any]) -> str:
    """Its title, and the node whose stations show it."""
    return gettext("；").join(str(details[name]) for name in ("name", "title") if details.get(name))


DETAILS: dict[str, Callable[[dict[str, Any]], str]] = {
    "capacity": _capacity,
    "message": _message,
    "policy": _policy,
    "policy_applied": _policy,
    "node_policy": _node_policy,
    "node_moved": _moved,
    "station_joined": _moved,
    "overseer_appointed": _oversight,
    "overseer_ended": _oversight,
    "notice_published": _notice,
    "notice_changed": _notice,
    "notice_ended": _notice,
    "frozen": _drawn,
    "drawn": _drawn,
    "watch_link_set": lambda details: str(details.get("host", "")),
    "value_typed": lambda details: str(details.get("value", "")),
    "entered": _entered,
}


def _changed(columns: dict[str, list[str]] | list[str]) -> list[str]:
    """Before and after, for the columns that have a label; for a list only their labels."""
    if isinstance(columns, list):
        return [str(COLUMNS[name]) for name in columns if name in COLUMNS]
    return [
        gettext("%(what)s %(was)s → %(became)s", what=COLUMNS[name], was=was or "—", became=became or "—")
        for name, (was, became) in columns.items()
        if name in COLUMNS and was != became
    ]
