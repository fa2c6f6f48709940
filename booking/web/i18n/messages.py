"""Messages: what is said for each reason of a `RuleViolation`; `formatting.reason` fills in the details."""

from typing import Any, NamedTuple

from flask_babel import lazy_gettext as _


class Reason(NamedTuple):
    """One reason in words: `sentence` to the person who was refused, the others where it is said otherwise."""

    sentence: Any
    next_step: Any = ""  # what they can do now
    because: Any = ""  # the sentence, where somebody wrote down `why`
    at_desk: Any = ""  # to a manager who acts for the person
    afterwards: Any = ""  # to the person, days later
    passed_over: Any = ""  # to the person whose turn in the waiting list it was
    brief: Any = ""  # in a list of what was skipped


# A row for every reason that is raised; its flags are in `booking/errors.py`.
REASONS = {
    # booking a slot
    "not_open": Reason(_("这一场还没有放号，%(opens_at)s 开放。"), _("到点按钮会自己亮起来，不用一直刷新。")),
    "cancelled": Reason(_("这一场已经取消。"), _("看看这天别的场次。"), because=_("这一场已经取消：%(why)s")),
    "started": Reason(_("这一场已经开始了。"), _("到门口看看，没人来的名额过几分钟会放出来。")),
    "over": Reason(_("这一场已经结束了。"), _("看看明天的场次。")),
    "yours": Reason(_("这一场你已经有名额了。"), at_desk=_("这位已经有名额了。")),
    "in_line": Reason(_("你已经在这一场的候补队里了。")),
    "day_limit": Reason(
        _("每人每天最多 %(limit)s 场，这一天你已经约满了。"),
        _("想换的话，打开想要的那一场：有空位就能直接改约，满了要先取消已约的，才能候补。"),
        at_desk=_("这位那一天已经约满了，每人每天最多 %(limit)s 场。"),
        passed_over=_("轮到你的时候，那天你已经约满了，名额给了下一位。"),
        brief=_("当天已有预约"),
    ),
    "city_day_limit": Reason(
        _("全市每人每天最多 %(limit)s 场，这一天已经算上了：%(slots)s。"),
        _("想换的话，打开想要的那一场：有空位就能直接改约，满了要先取消已约的，才能候补。"),
        at_desk=_("这位那一天在全市已经约满了，每人每天最多 %(limit)s 场。"),
        afterwards=_("全市每人每天最多 %(limit)s 场，那一天你已经约满了。"),
        passed_over=_("轮到你的时候，那天你在全市已经约满了，名额给了下一位。"),
        brief=_("当天已有预约"),
    ),
    "week_limit": Reason(
        _("全市每人每周最多 %(limit)s 场，这一周已经算上了：%(slots)s。"),
        _("可以约下一周的；想换的话，按时取消还没开始的一场，就空出一场。约了没去的、取消得太晚的也算。"),
        at_desk=_("这位那一周在全市已经约满了，每人每周最多 %(limit)s 场。"),
        afterwards=_("全市每人每周最多 %(limit)s 场，那一周你已经约满了。"),
        passed_over=_("轮到你的时候，那一周你在全市已经约满了，名额给了下一位。"),
        brief=_("当周已经约满"),
    ),
    "overlap": Reason(
        _("这一场和你已约的另一场时间重叠。"),
        _("想换这一场，先取消已约的那一场。"),
        at_desk=_("这位同一时间在别的场次有名额。"),
        passed_over=_("轮到你的时候，你在同一时间有另一场，名额给了下一位。"),
        brief=_("时间重叠"),
    ),
    "waiting_limit": Reason(
        _("最多同时候补 %(limit)s 场，你已经排满了。"),
        _("先退出一个候补，再排这一场。"),
        afterwards=_("同时候补的场次有上限，你当时已经排满了。"),
    ),
    "city_waiting_limit": Reason(
        _("全市最多同时候补 %(limit)s 场，你已经排满了：%(slots)s。"),
        _("先退出一个候补，再排这一场。"),
        at_desk=_("这位在全市的候补已经排满了，最多同时候补 %(limit)s 场。"),
        afterwards=_("全市同时候补的场次有上限，你当时已经排满了。"),
    ),
    "line_closed": Reason(_("已经满了，候补也截止了。"), _("签到开始后，可以到门口排现场候补。")),
    "paused": Reason(
        _("因为爽约，%(until)s 之前不能新预约。"),
        _("已经约好的不受影响。到期后自动恢复。"),
        at_desk=_("这位因为爽约，%(until)s 之前不能新预约。要加的话，先在“参与者”里免除爽约。"),
        passed_over=_("轮到你的时候，你因为爽约停约，名额给了下一位。"),
        brief=_("暂停预约中"),
    ),
    "gone": Reason(
        _("这个账号已经停用。"), passed_over=_("轮到你的时候，名额不能给你，给了下一位。"), brief=_("账号已停用")
    ),
    "full": Reason(_("没有空位了。"), _("看看这天别的场次。"), at_desk=_("没有空位了，可以放到现场候补。")),
    "busy": Reason(
        _("刚才同时按的人太多，没有处理成功。"),
        _("再按一次就好，不会重复预约。"),
        afterwards=_("那一刻按的人太多，你的那一次没有处理成功。"),
    ),
    "key_reused": Reason(_("这次点击是给另一场的，没有生效，什么也没有改变。"), _("还想要的话，请再按一次。")),
    "given_up_before": Reason(_("这一场你后来取消过，这次点击没有生效。"), _("还想要的话，请再按一次。")),
    # proofs of attendance
    "proof_too_old": Reason(_("%(since)s 以前的记录已经没有名字，开不了证明。"), _("请从这一天或以后选起。")),
    "proof_limit": Reason(_("最多同时有 %(limit)s 个核对网址。"), _("先停用一个不再用的。")),
    # requests
    "no_requests_here": Reason(_("这个驿站已经关闭，不能再提诉求。"), _("换一个驿站提。")),
    "request_limit": Reason(_("同时最多 %(limit)s 件没办完的诉求。"), _("等其中一件办完，或者先撤回一件。")),
    "request_ended": Reason(_("这件诉求已经办结或者撤回了。"), _("刷新看看它现在的样子。")),
    "request_open": Reason(_("这件诉求还没有办结，办结以后再说。")),
    "request_rated": Reason(_("已经说过了，谢谢。")),
    "rating_late": Reason(_("办结两周以后不再收评价。"), _("还有问题的话，再提一件。")),
    # watching online
    "watch_not_https": Reason(_("网址要以 https:// 开头，整段粘贴过来的邀请请只留网址。")),
    "watch_host": Reason(_("只能放这些网站的链接：%(hosts)s。别的请网络管理员加进名单。")),
    "watch_port": Reason(_("网址里不能带用户名或端口，网站名字后面直接是 /。")),
    "watch_markup": Reason(_("这不是一个网址：里面不能有空格、汉字、引号或尖括号，最多 300 个字符。")),
    "watch_soon": Reason(_("%(since)s 起可以在线看。"), _("到时候再来这一页。")),
    "watch_missing": Reason(_("驿站还没有放上链接。"), _("过一会儿再看，或者问问驿站。")),
    # ratings of visits
    "already_rated": Reason(_("这一次你已经评价过了，以第一次的为准。谢谢！")),
    "line_given": Reason(_("这一次你已经写过一句了，以第一次的为准。谢谢！")),
    "not_your_visit": Reason(_("这是别人的评价链接，不能用。"), _("到“我的预约”里评价你自己的活动。")),
    "rating_link_wrong": Reason(_("这个评价链接不完整，或者改动过，不能用。"), _("到“我的预约”里评价你的活动。")),
    "visit_not_attended": Reason(_("没有签到的场次不能评价。"), _("来过却没有签到的话，请问驿站管理员。")),
    "visit_not_over": Reason(_("这一场还没有结束，结束以后再评价。")),
    "visit_rating_late": Reason(_("结束两周以后不再收评价。"), _("下次来了再告诉我们。")),
    # notices
    "notice_closed": Reason(_("这里已经关闭，不能贴公告。")),
    "notice_days": Reason(_("结束的日子不能早于开始的日子。")),
    "notice_long": Reason(_("一条公告最长显示一年。"), _("到期以后可以再贴一次。")),
    "notice_over": Reason(_("这一天已经过去，公告不会显示出来。"), _("请填今天或以后。")),
    "notice_limit": Reason(_("同时最多 %(limit)s 条公告。"), _("先撤下一条不再用的。")),
    "notice_ended": Reason(_("这条公告已经撤下了，不能再改。"), _("要用的话重新写一条。")),
    # draws
    "draw_not_open": Reason(_("抽签报名 %(opens_at)s 开始。"), _("从那时起到封存名单都可以报名，早晚一样。")),
    "draw_closed": Reason(_("名单已经封存，不能再报名，也不能再改。"), _("结果出来后，这里可以直接预约或者候补。")),
    "wishes_full": Reason(_("一次最多 %(limit)s 个志愿，你已经填满了。"), _("先去掉一个，再加这一场。")),
    "entered": Reason(_("这一场你已经报名了，还不是预约。"), _("封存名单前都可以改志愿或者退出。")),
    "draw_gathering": Reason(
        _(
            "这个排期的抽签正在报名，已有 %(entered)s 人，现在不能改怎么分名额。%(until)s 出结果以后再改，"
            "从 %(applies)s 的场次起生效。"
        )
    ),
    "before_its_draw": Reason(
        _("这一场 %(until)s 出抽签结果，改到这么早就来不及了。请换晚一点的时间，或者取消这一场。")
    ),
    "draw_too_late": Reason(_("离开始太近，来不及报名和抽签，请选先到先得，或者换晚一点的时间。")),
    "value_not_yours": Reason(_("只有报了名的人和驿站管理员可以填。")),
    "value_closed": Reason(_("已经抽完，或者过了填的时候，填了也不再改变结果。")),
    "value_shape": Reason(_("填的不像是这个数，请核对。")),
    "value_differs": Reason(_("两次填的不一样，请核对。")),
    "value_limit": Reason(_("你已经填了 %(limit)s 次，不能再填；别人还可以更正。")),
    "value_unnamed": Reason(_("请写明用哪个公开的数，几点可以查到。")),
    "value_before_closing": Reason(_("要在名单封存以后才能查到：名单 %(time)s 封存，请填更晚的时间。")),
    "value_too_late": Reason(_("太晚了，来不及填、更正和抽签：最晚填 %(time)s。")),
    "value_rival": Reason(
        _("同时放号的另一条排期用的是“%(source)s”。它们是同一次抽签，只能用同一个数：请写得一样，或者换放号时间。")
    ),
    "no_such_entry": Reason(_("这次抽签里没有你的报名。")),
    "partner_unknown": Reason(_("没有这个邀请码。请朋友看看：要这一天、这个驿站的抽签，六位数字。")),
    "own_code": Reason(_("这是你自己的邀请码，要由朋友来输入。")),
    "partner_entered": Reason(_("你自己已经报名了。先退出抽签，再输入朋友的邀请码。")),
    "partner_taken": Reason(_("已经有人用这个邀请码报名了，一起去的最多两个人。")),
    "no_such_wish": Reason(_("志愿刚刚改过，请看现在的再改。")),
    # the network
    "no_such_role": Reason(_("请选统筹或者查看。")),
    "node_not_found": Reason(_("这个单位下面没有代码是“%(code)s”的单位，请核对。")),
    "station_not_found": Reason(_("这个单位下面没有代码是“%(code)s”的驿站，请核对。")),
    "last_manager": Reason(
        _("这是那个驿站最后一位管理员，走了就没有人管了。"), _("先任命接任的人；确实要空着的话，请勾选确认。")
    ),
    "not_manager_there": Reason(_("这位不是%(station)s的管理员，请核对邮箱和驿站。")),
    "same_station": Reason(_("调出和调入是同一个驿站，请改一个。")),
    "transfer_to_closed": Reason(_("调入的驿站已经关闭，请选开着的。")),
    "transfer_day_over": Reason(_("这一天已经过了，请选今天或以后。")),
    "transfer_too_far": Reason(_("最多提前一年安排，请选早一点的日子。")),
    "transfer_planned": Reason(_("这位从那个驿站的调动已经安排过了。要改的话，先取消原来的。")),
    "transfer_over": Reason(_("这次调动已经完成或者取消了。")),
    # cancelling and check-in
    "not_live": Reason(
        _("这条预约已经结束，不能再取消。"), _("看看接下来还有哪些场次。"), at_desk=_("这条预约已经结束，没有再改动。")
    ),
    "started_yours": Reason(_("这一场已经开始，不能再取消了。"), _("来得及就快到门口签到。")),
    "here_already": Reason(_("你已经签到了，不用再取消。"), at_desk=_("这位已经签到。要移除的话，先撤销签到。")),
    "removed_by_station": Reason(_("驿站移除了你的这个预约，不记爽约，原因在邮件里。"), _("看看接下来还有哪些场次。")),
    "seat_passed_on": Reason(_("名额已经给了候补的下一位，不能恢复。要加回来的话，先加名额。")),
    "person_knows": Reason(_("通知本人的信已经发出，不能恢复。要加回来的话，请重新加人。")),
    "lost_already": Reason(
        _("开始后没有签到，这个名额已经释放了。"), _("还想参加就到门口，有空位就能补签到，不记爽约。")
    ),
    "line_over": Reason(_("候补已经结束，没有轮到你。"), _("看看明天的场次。")),
    "ended_by_station": Reason(_("这一场已经取消，你的预约也一起取消了。"), _("看看这天别的场次。")),
    "ended_by_booking": Reason(_("你约上了和它冲突的另一场，这个候补已经退出了。"), _("看看接下来还有哪些场次。")),
    "too_early": Reason(_("还没有到签到时间，%(opens_at)s 开始。")),
    "stale_code": Reason(
        _("这个码已经过期，或者不对"), _("门口的码每 30 秒换一次，请对着屏幕重新扫，或者输入上面的六位数字。")
    ),
    "nothing_scanned": Reason(_("还没有扫到票。"), _("把手机上的票对准扫码器，或者按票下面的六位数字。")),
    "not_a_ticket": Reason(_("这不是我们的票。"), _("在手机上打开“我的预约”，把那里的二维码对准扫码器。")),
    "unknown_ticket": Reason(_("没有找到这张票。"), _("再扫一次，或者按票下面的六位数字。还不行就找驿站管理员。")),
    "ticket_of_other_station": Reason(_("这是别的驿站的票。"), _("请到票上写的那个驿站签到。")),
    "ticket_of_other_day": Reason(_("不是今天的票，是%(day)s的。"), _("看看手机上有没有今天的票。")),
    "wrong_digits": Reason(
        _("这六位数字不对，或者过期了。"), _("数字一分钟换一次：看看手机上现在是哪六位，再按一次。也可以扫票。")
    ),
    "same_digits": Reason(_("刚好有两张票是这六位数字。"), _("请扫票，或者等一分钟，数字换了再按。")),
    "too_many_names": Reason(_("这块屏幕上留的名字太多了。请直接找驿站管理员。")),
    "not_booked": Reason(_("这不是一条有效的预约。"), _("看看接下来还有哪些场次。")),
    "door_is_open": Reason(_("签到已经开始，请在“现场来的人”里入座。")),
    "no_free_seat": Reason(_("没有空位了。先加名额，或者移除一个预约，再来加人。")),
    "not_seen": Reason(
        _("你没来的那个名额已经释放，只按手机回不来。"),
        _("到门口扫屏幕上的码，或者请管理员签到：还有空位就让你进，这次爽约也撤回。"),
    ),
    "seat_free": Reason(_("现在还有空位，不用排队。"), _("直接按预约。"), at_desk=_("现在还有空位，可以直接入座。")),
    "attendance_known": Reason(_("这一场已经有人签到，或者已经有了结果，没有再改动。")),
    "choose_slot": Reason(_("请选一场，它的门现在要开着。")),
    "no_such_slot": Reason(_("没有找到这一场。"), _("看看这天别的场次。")),
    "no_such_booking": Reason(_("没有找到这条预约。"), _("看看接下来还有哪些场次。")),
    # what a manager changes
    "past": Reason(_("这个时间已经过去了。"), brief=_("时间已经过去")),
    "rest_day": Reason(_("这一天驿站休息。真的要加，请勾上再加一次。")),
    "zone_taken": Reason(_("这个时间，场地已经有别的安排。"), brief=_("场地被占，跳过")),
    "zone_max": Reason(_("这个场地最多 %(limit)s 人。")),
    "zone_in_use": Reason(_("这个场地还有排好的场次，其中最多的一场有 %(limit)s 个名额。")),
    "activity_in_use": Reason(_("这个活动还有排好的场次，请先停掉它的排期。")),
    "no_such_zone": Reason(
        _("没有找到这个场地。"),
        at_desk=_("这个场地已经停用，要用先在“停用的”里重新启用。"),
        brief=_("场地已停用，跳过"),
    ),
    "no_such_activity": Reason(
        _("没有找到这个活动。"),
        at_desk=_("这个活动已经收起，要用先在“停用的”里重新拿出来。"),
        brief=_("活动已收起，跳过"),
    ),
    "people_elsewhere": Reason(_("%(names)s 那个时间在别的场次有名额，改不了。")),
    "below_booked": Reason(_("已经有 %(taken)s 人预约，名额不能比这更少。")),
    "slot_in_use": Reason(
        _("这一天的场次已有 %(taken)s 人预约、%(waiting)s 人候补，不能直接改，请到场次页处理。"),
        brief=_("那天的场次已经有人，跳过"),
    ),
    "slot_in_draw": Reason(
        _("这一天的场次已经开始抽签报名，已有 %(entered)s 人，不能直接改，请到场次页处理。"),
        brief=_("那天的场次已经开始抽签报名，跳过"),
    ),
    "people_know": Reason(_("通知取消的信已经发出，不能再恢复；要开的话，请另加一场。")),
    "message_limit": Reason(_("每一场每天最多写 %(limit)s 封，今天已经写满了。急事请打电话，或者明天再写。")),
    "nobody_to_write": Reason(_("这些人里没有人留了邮箱，信发不出去。")),
    "message_sent": Reason(_("信已经发出，撤不回来了。需要更正的话，再写一封。")),
    "name_taken": Reason(_("已经有同名的了。全角半角、大小写和空格不算不同。")),
    "name_reserved": Reason(_("“停用的”里有同名的场地，可以恢复它，或者换一个名称。")),
    "out_of_bounds": Reason(_("有的数字超出了允许的范围。")),
    "bad_sheet": Reason(_("这不是一份能读懂的表格，请存成 XLSX 或 CSV。")),
    "locked_sheet": Reason(_("这份表格有密码，或者是损坏的 .xls。请去掉密码，另存为 .xlsx 再传。")),
    "bad_heads": Reason(_("表头里缺少：%(missing)s。要有这些表头：%(expected)s。补上再传一次。")),
    "two_heads": Reason(_("“%(head)s”有两列（%(first)s 和 %(second)s），不知道用哪一列。请只留一列。")),
    "empty_sheet": Reason(_("表格里一行也没有。")),
    "sheet_too_long": Reason(_("一次最多 %(limit)s 行。")),
    "sheet_too_wide": Reason(_("最多 %(limit)s 列，请删掉右边不用的列。")),
    "sheet_too_large": Reason(_("文件太大了，最大 %(limit)s MB。图片和没有用到的工作表可以删掉。")),
    "bad_picture": Reason(_("这不是一张能读懂的图片，可能传坏了。请传 JPEG、PNG 或 WebP 格式的照片。")),
    "picture_heic": Reason(
        _(
            "这是苹果手机的 HEIC 照片，这里读不了。请在手机上给照片截一张图，传截图；"
            "或者在“设置 › 相机 › 格式”里选“兼容性最佳”，重新拍一张。"
        )
    ),
    "picture_large": Reason(_("照片太大了，最大 %(limit)s MB。请在手机上选“中等大小”再传，或者传一张截图。")),
    "picture_pixels": Reason(_("照片的像素太多了，最多 %(limit)s 百万。请缩小再传，或者传一张截图。")),
    "picture_small": Reason(_("照片太小了，至少 %(width)s × %(height)s 像素。")),
    "picture_moves": Reason(_("这是会动的图片。请传一张不动的照片。")),
    "picture_gone": Reason(_("这张照片已经不在了，请再传一次，或者选一张别的。")),
    "bad_calendar": Reason(_("这不是一份能读懂的放假安排：要 JSON 文件，里面有 year 和 days。")),
    "calendar_missing": Reason(_("请选一个文件。")),
    "calendar_too_large": Reason(_("文件太大了，最大 %(limit)s KB。")),
    "calendar_year": Reason(_("year 要是 %(first)s 到 %(last)s 之间的一个整数。")),
    "calendar_day": Reason(
        _("days 的第 %(number)s 项不对：要有 name（文字）、date（像 2027-01-01）和 isOffDay（true 或 false）。")
    ),
    "calendar_other_year": Reason(_("days 的第 %(number)s 项是 %(date)s，不在 %(year)s 年，也不在前一年的 12 月。")),
    "calendar_twice": Reason(_("%(date)s 写了两次。")),
    "calendar_too_little": Reason(
        _("这份文件没有公布 %(year)s 年的安排：写了 %(rests)s 个休息日，至少要 %(least)s 个，法定节假日都要休息。")
    ),
    "calendar_changed": Reason(_("日历刚刚被别人改过，下面是现在会改变的日子，请再看一遍。")),
    # accounts
    "name_missing": Reason(_("请填写称呼。")),
    "looks_like_advert": Reason(_("这里不能写网址、邮箱或一长串号码。")),
    "too_long": Reason(_("太长了，最多 %(limit)s 个字。")),
    "bad_phone": Reason(_("这不像一个手机号。")),
    "no_code": Reason(_("验证码是 6 位数字。")),
    "code_used": Reason(_("这个验证码已经用过了，刚才那次多半成功了：先到“我”看看，没成功再要一个新的。")),
    "bad_email": Reason(_("这个邮箱地址不完整，或者写错了。")),
    "email_not_ascii": Reason(_("@ 前面有中文等字符的邮箱收不到我们的邮件，请换一个邮箱地址。")),
    "bad_language": Reason(_("没有这种语言。")),
    "email_taken": Reason(_("这个邮箱已经有账号了。")),
    "password_short": Reason(_("密码至少 %(limit)s 位。")),
    "password_long": Reason(_("密码最多 %(limit)s 位。")),
    "password_common": Reason(_("这个密码太容易猜到了，换一个长一点的。")),
    "password_known": Reason(_("这个密码大半是你的邮箱、称呼或驿站的名字，太容易猜到了，换一个。")),
    "no_second_code": Reason(_("请填 6 位数字，或者一个 20 位的恢复码。")),
    "wrong_code": Reason(_("数字不对。请看看手机的时间准不准，再输入现在显示的数字。")),
    "wrong_second_code": Reason(_("不对，或者已经用过。请等验证器换一组新的数字再输；恢复码每个只能用一次。")),
    "second_factor_is_on": Reason(_("两步验证已经开启了。")),
    "second_factor_is_off": Reason(_("两步验证已经关闭了。")),
    "second_factor_first": Reason(_("先给自己开启两步验证，才能要求别人。")),
    "own_second_factor": Reason(_("自己的两步验证，请在“我”的页面里关闭。")),
    "other_secret_key": Reason(_("服务器换过密钥，验证器的数字认不出来了。请用一个恢复码，再重新设置。")),
    "sign_in_again": Reason(_("密码或两步验证刚刚改过，请重新登录。")),
    "too_many_tries": Reason(_("试错的次数太多了，%(until)s 之后再试。")),
    "too_many_letters": Reason(_("这样的邮件发得太多了，%(until)s 之后再要。")),
    "too_many_invitations": Reason(_("今天的邀请发得太多了，%(until)s 之后再发。")),
    "too_many_codes": Reason(_("验证码发得太多了，%(until)s 之后再要。")),
    "no_account": Reason(_("没有用这个邮箱的账号。请对方先在手机上注册，再来添加。")),
    "disabled_account": Reason(_("这个账号已经停用，不能担任。")),
    "manages_already": Reason(_("这位是管理员，本来就能签到。")),
    "no_door_helper": Reason(_("这位已经不是门口助手了，请用邮箱再添加一次。")),
    "disabled": Reason(_("这个账号已经停用，请联系驿站。")),
    "changed": Reason(_("密码刚刚改过，请重新登录。")),
    "no_such_person": Reason(_("没有这个账号。")),
    "last_admin": Reason(_("全网管理员至少要有一位：先有另一位，才能注销或停用这一位。")),
    "yourself": Reason(_("不能停用自己。")),
    "follow_limit": Reason(_("最多关注 %(limit)s 个活动，你已经关注满了。先取消一个，再关注这个。")),
    "no_wishes_here": Reason(_("这个驿站已经关闭，不能再提心愿。"), _("看看别的驿站。")),
    "wish_limit": Reason(_("一个驿站同时最多 %(limit)s 个没有结果的心愿。先收回一个，或者等驿站答复。")),
    "wish_ended": Reason(_("这个心愿已经有结果了，不能再改。")),
    "wish_slot": Reason(_("请选本站没有取消的一场。")),
    "wish_itself": Reason(_("不能合并到它自己，请选另一个心愿。")),
    "wish_merge": Reason(_("请选本站还没有结果的心愿：选的那个已经合并、答复或收回了。")),
    "reason_missing": Reason(_("请写明原因。")),
    # invitations of managers
    "invitation_unknown": Reason(
        _("这个邀请链接不对，或者已经换成新的。"), _("请打开最近一封邀请邮件里的链接；没有的话，请发邀请的人再发一次。")
    ),
    "invitation_used": Reason(_("这个邀请已经接受过了，链接只能用一次。"), _("直接登录，就能管理驿站。")),
    "invitation_withdrawn": Reason(_("这个邀请已经撤回了。"), _("有疑问的话，请问发邀请的人。")),
    "invitation_expired": Reason(_("这个邀请已经过期了。"), _("请发邀请的人再发一次。")),
    "invitation_address": Reason(_("这个邀请是发给另一个邮箱的。")),
    "invitation_ended": Reason(_("这个邀请已经接受或者撤回了。")),
    # what an admin changes
    "bad_code": Reason(_("代码由小写字母、数字和连字符组成，以字母开头，2 到 32 位，不能是 new。")),
    "code_taken": Reason(_("这个代码已经有驿站在用。")),
    "bad_zone": Reason(_("没有这个时区。")),
    # the network of a city
    "node_code_taken": Reason(_("这个代码已经有单位在用，请换一个。")),
    "wrong_level": Reason(_("级别不对：市下面是区，区下面是中心。请选上一级的单位。")),
    "node_cycle": Reason(_("不能移到自己或自己的下级下面。请选别的单位。")),
    "node_closed": Reason(_("这个单位或它的上级已经关闭。请先重新开放，或者选别的。")),
    "not_a_centre": Reason(_("驿站只能归到中心，请选一个中心。")),
    "node_not_empty": Reason(_("下面还有 %(count)s 个没有关闭的单位，请先关闭或移走它们。")),
    "stations_undecided": Reason(_("还有 %(count)s 个驿站没有决定去向，请逐个选择。")),
    "moved_into_closed": Reason(_("不能移到正要关闭的中心，请选别的中心。")),
    "unknown_number": Reason(_("没有这样的规则。请刷新页面再试。")),
    "city_numbers_only": Reason(_("全市的上限只能在市一级定。")),
    "policy_locked": Reason(_("由%(node)s锁定，这里不能改。要改的话，请找%(node)s的统筹。")),
    "policy_changed": Reason(_("这期间有变化，影响的驿站和刚才看到的不同。请核对之后再确认。")),
    # stations from a sheet
    "bad_datum": Reason(_("坐标系请写 WGS-84、GCJ-02（高德、腾讯）或 BD-09（百度）。")),
    "bad_manager_address": Reason(_("“%(address)s”不是一个完整的邮箱地址。几个邮箱之间用分号隔开。")),
    "too_many_managers": Reason(_("一个驿站一次最多写 %(limit)s 位管理员，请留下要紧的几位。")),
    "bad_zones": Reason(_("“%(typed)s”请写成 健身区:20 这样，几个场地之间用分号隔开；人数是 1 到 %(most)s。")),
    "zone_twice": Reason(_("同一个场地写了两次，或者超过了 %(limit)s 个。每个场地只写一次。")),
    "code_twice": Reason(_("第 %(row)s 行已经有这个代码。一个驿站只写一行。")),
    "no_such_centre": Reason(_("这里没有这个代码的中心。请写这个单位下面的中心的代码。")),
    "no_such_model": Reason(_("这里没有这个代码的驿站，或者它已经关闭。样板驿站要是这个单位下面已有的驿站。")),
    "station_closed": Reason(_("这个驿站已经关闭。请先让管理员重新开放，或者删掉这一行。")),
    "model_needs": Reason(_("样板驿站在“%(zone)s”有 %(limit)s 人的排期，人数不能比这更少。")),
    "stations_near": Reason(_("有的驿站离得太近，可能是同一个写了两次。请看一遍，再勾上“都是不同的驿站”。")),
    "sheet_wrong_now": Reason(_("上传以后情况变了，有几处现在不对，什么都没有导入。请改好再传一次。")),
    "nothing_to_import": Reason(_("这份表格和现在的驿站完全一样，没有要导入的。")),
    "bad_position": Reason(_("这不像一个坐标，请写成 39.9087, 116.4605 这样。")),
}
BRIEF = {code: reason.brief for code, reason in REASONS.items() if reason.brief}
UNKNOWN = Reason(_("现在不能这样做。"))
