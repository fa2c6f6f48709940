"""Account forms. Passwords are never shown again; everything else that was typed is kept."""

from flask_babel import lazy_gettext as _
from wtforms import BooleanField, Field, RadioField
from wtforms.validators import DataRequired, Length, ValidationError

from booking import people
from booking.errors import RuleViolation
from booking.web.forms.fields import options
from booking.web.forms.rules import Filled, Form, LineField, PlainField, Ruled, Secret
from booking.web.i18n import formatting

EMAIL = [
    Filled(_("请填写邮箱。")),
    Length(max=254, message=_("这个邮箱地址太长了。")),
    Ruled(people.clean_email),
]
CODE = [Filled(_("请填写邮件里的 6 位验证码。")), Ruled(people.clean_code)]
NAME = [Filled(_("请填写称呼。")), Length(max=40, message=_("称呼最多 40 个字。")), Ruled(people.clean_name)]


class EmailForm(Form):
    """The address for a code."""

    email = PlainField(_("邮箱"), EMAIL)


class SignInForm(Form):
    """Sign in by password. Any input gets the same answer, so only presence is checked."""

    email = PlainField(_("邮箱"), [Filled(_("请填写邮箱。"))])
    password = Secret(_("密码"), [Filled(_("请填写密码，或者按“发验证码到邮箱”。"))])


class Confirmed(Form):
    """Mixin for forms of a grave change: a mailed code takes the place of the password where there is none."""

    mailed_code = PlainField(_("邮件里的验证码"), CODE)

    def confirm_by(self, *, password: bool, name: str = "password") -> None:
        """Leave one of both fields in the form; `name` is that of the password."""
        del self["mailed_code" if password else name]

    def confirmed_by(self, name: str = "password") -> Field:
        """The field that is left."""
        return self[name] if name in self else self["mailed_code"]


class AddressForm(Confirmed, EmailForm):
    """A new address, confirmed by the password."""

    password = Secret(_("密码"), [Filled(_("请填写密码。"))])


class CodeForm(Form):
    code = PlainField(_("验证码"), CODE)


class SecondCodeForm(Form):
    """The second step: a code of the app, or a recovery code."""

    code = PlainField(_("6 位数字"), [Filled(_("请填写验证器显示的 6 位数字。")), Ruled(people.clean_second_code)])


class SetUpForm(Confirmed):
    """A code of the app that has just learned the secret. The password is asked for when the sign-in is not recent."""

    code = PlainField(_("6 位数字"), [Filled(_("请填写验证器显示的 6 位数字。")), Ruled(people.clean_code)])
    password = Secret(_("密码"), [Filled(_("请填写密码。"))])


class NewPassword(Form):
    """Mixin for forms that set a password; `known` is what others know of its owner."""

    password = Secret(_("密码"), [Filled(_("请填写密码。"))], description=_("至少 8 位，越长越好。"))

    def __init__(self, *known: str) -> None:
        super().__init__()
        self.known = known

    def validate_password(self, field: Field) -> None:
        try:
            people.check_strength(field.data or "", *self.known)
        except RuleViolation as no:
            raise ValidationError(formatting.reason(no)) from no


class InvitationForm(NewPassword):
    """What a new account needs, where the link has proven the address. The password may be left out."""

    name = LineField(_("怎么称呼你"), NAME, description=_("签到名单上的名字，驿站管理员看得到。"))
    password = Secret(
        _("密码（可以不填）"), description=_("不填就每次用邮箱收验证码登录，以后也能再设。填的话至少 8 位。")
    )
    agree = BooleanField(_("我同意隐私说明"), [DataRequired(_("要注册，请先同意隐私说明。"))])

    def validate_password(self, field: Field) -> None:
        if field.data:
            self.known = (*self.known, self.name.data)
            super().validate_password(field)


class RegisterForm(InvitationForm):
    """The same, with the code from the mail."""

    code = PlainField(_("验证码"), CODE)


class ResetForm(NewPassword):
    """The code from the mail, and a new password."""

    code = PlainField(_("验证码"), CODE)


class PasswordForm(Confirmed, NewPassword):
    """Change the password, confirmed by the old one."""

    old = Secret(_("现在的密码"), [Filled(_("请填写现在的密码。"))])


class ProfileForm(Form):
    name = LineField(_("称呼"), NAME)
    phone = PlainField(
        _("手机号"),
        [Length(max=40, message=_("这不像一个手机号。")), Ruled(people.clean_phone)],
        description=_("可以不填。别人只看到 138****5678。"),
    )
    company = LineField(
        _("公司"),
        [Length(max=80, message=_("公司名最多 80 个字。")), Ruled(people.clean_company)],
        description=_("可以不填。"),
    )
    language = RadioField(
        _("语言"),
        choices=options({"zh_Hans_CN": "中文", "en": "English"}),
        validate_choice=True,
    )
    wants_digest = BooleanField(_("每天早上 8:30 给我发日报"), description=_("只在有话说的工作日发。"))
    wants_reminder = BooleanField(_("开始前 30 分钟给我发提醒"), description=_("早就约好的才发，刚约上的不发。"))
    wants_manager_digest = BooleanField(
        _("每天 11:00 给我发驿站日报"), description=_("今天的名单和上一个工作日的结果。")
    )


class DeleteForm(Confirmed):
    password = Secret(_("密码"), [Filled(_("请填写密码。"))])
