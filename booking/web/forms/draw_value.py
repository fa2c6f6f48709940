"""Draw value form: the public value of a draw, typed twice, and what its kinds are called."""

from flask_babel import lazy_gettext as _

from booking.errors import RuleViolation
from booking.web.forms.fields import Form, PlainField, Short, needed

VALUE_WORDS = {
    "none": _("不用"),
    "kl8": _("福彩快乐8 的 20 个号码"),
    "hex": _("一串十六进制，比如 drand 一轮的随机数"),
    "digits": _("一个数，比如收盘点位"),
}
HOW_TO_TYPE = {
    "kl8": _("20 个 1 到 80 的数，不重复，中间空格；先后不要紧。"),
    "hex": _("0 到 9 和 a 到 f，大小写、空格都不要紧。"),
    "digits": _("照公布的写，几位小数就写几位。"),
}
# What is wrong with a value, by the fault that `parsing.public_values` found.
FAULTS = {
    "empty": _("这一项要填。"),
    "kl8_letters": _("“%(word)s”不是数，请只填号码，中间空格。"),
    "kl8_range": _("“%(word)s”不在 1 到 80 之间，请核对。"),
    "kl8_twice": _("%(number)s 填了两次，请核对：号码不会重复。"),
    "kl8_count": _("要填 20 个号码，这里有 %(count)s 个。"),
    "hex_letters": _("“%(word)s”不是十六进制的数字，只有 0 到 9 和 a 到 f。"),
    "digits_letters": _("请只填数字，可以有一个小数点，比如 3412.56。"),
    "length": _("这里有 %(count)s 位，应该有 %(low)s 到 %(high)s 位，请核对。"),
}
ROLES = {"entrant": _("报了名的人"), "manager": _("驿站管理员")}


class ValueForm(Form):
    """Both times as they were typed; the rule reads them."""

    blames = {"value_shape": "value", "too_early": "value", "value_differs": "again"}
    value = PlainField(_("公开的数"), [needed, Short(400)])
    again = PlainField(_("再填一次"), [needed, Short(400)])

    def blame(self, no: RuleViolation, sentence: str) -> None:
        """For a shape the sentence about its fault."""
        if no.reason == "value_shape":
            sentence = str(FAULTS[no.details["fault"]]) % no.details
        super().blame(no, sentence)
