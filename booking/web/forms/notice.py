"""Notice form: what a station or a node tells everybody, and on which days."""

from flask_babel import lazy_gettext as _

from booking.model import NO_PICTURE
from booking.services import NoticeWords
from booking.web.forms.fields import DayField, Form, LineField, PickField, Prose, Short, maybe, needed, options
from booking.web.forms.programme import PICTURES


class NoticeForm(Form):
    """Plain text: markup is shown as it is typed."""

    blames = {
        "notice_days": "last",
        "notice_long": "last",
        "notice_over": "last",
        "notice_ended": "title",
        "notice_closed": "title",
        "notice_limit": "title",
    }
    title = LineField(_("标题"), [needed, Short(40)])
    text = Prose(
        _("内容"),
        [maybe, Short(600)],
        description=_("按写的样子显示；https:// 开头的网址会变成链接。开放参观写上时间就行，不用名额。"),
        render_kw={"placeholder": _("参观时间：工作日 9:30–17:30，不用预约。")},
    )
    first = DayField(_("从哪天起"), [needed])
    last = DayField(_("到哪天为止"), [needed], description=_("这一天还在，过了这一天自己撤下。"))
    picture = PickField(_("图画"), [], choices=options({NO_PICTURE: _("不要图画")} | PICTURES), default=NO_PICTURE)

    def words(self) -> NoticeWords:
        return self.make(NoticeWords)
