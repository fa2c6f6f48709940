"""The words for the reason codes of `Refused`: what happened, and what to do next. `show.reason` fills them in."""

from typing import Any

from flask_babel import lazy_gettext as _

SENTENCES: dict[str, Any] = {
    # a press on a slot
    "not_open": _("这一场还没有放号，%(opens_at)s 开放。"),
    "cancelled": _("这一场已经取消。"),
    "cancelled_because": _("这一场已经取消：%(why)s"),
    "started": _("这一场已经开始了。"),
    "over": _("这一场已经结束了。"),
    "yours": _("这一场你已经有座位了。"),
    "in_line": _("你已经在这一场的候补队里了。"),
    "day_limit": _("每人每天最多 %(limit)s 场，这一天你已经约满了。"),
    "overlap": _("这一场和你已约的另一场时间重叠。"),
    "waiting_limit": _("最多同时候补 %(limit)s 场，你已经排满了。"),
    "line_closed": _("已经满了，候补也截止了。"),
    "paused": _("因为爽约，%(until)s 之前不能新预约。"),
    "gone": _("这个账户已经停用。"),
    "full": _("没有空位了。"),
    "busy": _("刚才同时按的人太多，没有处理成功。"),
    "key_reused": _("这个页面是旧的，这次点击没有生效。"),
    "given_up_before": _("这一场你后来放弃过，这次点击没有生效。"),
    # giving up, and the door
    "not_live": _("这条预约已经结束，不能再放弃。"),
    "too_early": _("还没有到签到时间，%(opens_at)s 开始。"),
    "not_booked": _("这不是一条有效的预约。"),
    "seat_free": _("现在还有空位，不用排队。"),
    "no_such_slot": _("没有找到这一场。"),
    "no_such_booking": _("没有找到这条预约。"),
    # what a manager changes
    "past": _("这个时间已经过去了。"),
    "zone_taken": _("这个时间，场地已经有别的安排。"),
    "zone_max": _("这个场地最多 %(limit)s 人。"),
    "zone_in_use": _("这个场地还有排好的场次，其中最多的一场有 %(limit)s 个名额。"),
    "activity_in_use": _("这个活动还有排好的场次，请先停掉它的排期。"),
    "no_such_zone": _("没有找到这个场地。"),
    "no_such_activity": _("没有找到这个活动。"),
    "below_booked": _("已经有 %(taken)s 人预约，名额不能比这更少。"),
    "name_taken": _("已经有同名的了。"),
    "out_of_bounds": _("有的数字超出了允许的范围。"),
    "bad_calendar": _("这不是一份能读懂的日历文件。"),
}
NEXT_STEPS: dict[str, Any] = {
    "not_open": _("到点按钮会自己亮起来，不用一直刷新。"),
    "cancelled": _("看看这天别的场次。"),
    "started": _("到门口看看，没人来的座位过几分钟会放出来。"),
    "over": _("看看明天的场次。"),
    "day_limit": _("想换这一场，先放弃已约的那一场。"),
    "overlap": _("想换这一场，先放弃已约的那一场。"),
    "waiting_limit": _("先退出一个候补，再排这一场。"),
    "line_closed": _("签到开始后，可以到门口排现场候补。"),
    "paused": _("已经约好的不受影响。到期后自动恢复。"),
    "busy": _("再按一次就好，不会重复预约。"),
    "key_reused": _("请在下面的卡片上再按一次。"),
    "given_up_before": _("还想要的话，请再按一次。"),
    "seat_free": _("直接按预约。"),
}
UNKNOWN = _("现在不能这样做。")
