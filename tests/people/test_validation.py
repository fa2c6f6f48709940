"""What people may be called, and how their addresses are kept."""

import pytest

from booking.errors import RuleViolation
from booking.people.validation import clean_code, clean_company, clean_email, clean_language, clean_name, clean_phone


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("周明", "周明"),
        ("  欧阳  娜娜\t", "欧阳 娜娜"),
        ("Ana María O'Neill-Ng", "Ana María O'Neill-Ng"),
        ("周\u202e明\u200b\ufeff", "周明"),
        ("周\r\nBcc: all", "周 Bcc: all"),
        ("<b>周</b>", "<b>周</b>"),
        ("{{7*7}} %(x)s {0.__class__}", "{{7*7}} %(x)s {0.__class__}"),
        ("e\u0301", "é"),
        ("名" * 40, "名" * 40),
        *((name, name) for name in ("王\U00031350", "李\U0002ebf0", "䶮\ue863", "葛\U000e0101", "买买提·艾合买提")),
        *((name, name) for name in ("Liu.Ru", "Wang.Me", "li.co", "Zhang.Link", "Ng.TK", "Li。Ru", "O'Neill.Io")),
        ("O’Neil.Me", "O’Neil.Me"),
        *(
            (name, name)
            for name in ("Liu.Ru 刘如", "Liu.Ru（刘如）", "Li.Na", "Wang.Ning", "艾力.吾守尔", "J.R. Smith")
        ),
    ],
)
def test_a_name_is_kept_as_it_is_seen(typed: str, kept: str) -> None:
    assert clean_name(typed) == kept


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("", "name_missing"),
        ("\u202e\u200b \t", "name_missing"),
        ("名" * 41, "too_long"),
        ("看 https://evil.example", "looks_like_advert"),
        ("www.evil.org", "looks_like_advert"),
        ("evil.com", "looks_like_advert"),
        ("ｅｖｉｌ．ｃｏｍ", "looks_like_advert"),
        ("evil。com", "looks_like_advert"),
        ("找我 a@b.cn", "looks_like_advert"),
        ("加微信 13800138000", "looks_like_advert"),
        ("１３８００１３８０００", "looks_like_advert"),
        ("ev\u200bil.com", "looks_like_advert"),
        ("Liu.com", "looks_like_advert"),
        ("t.me/lunch", "looks_like_advert"),
        ("www.liu.ru", "looks_like_advert"),
        ("https://liu.ru", "looks_like_advert"),
        ("buy.cheap.ru", "looks_like_advert"),
        ("cheap-yoga24.ru", "looks_like_advert"),
        ("加群 liu.me 领券", "looks_like_advert"),
        ("liu.me 13800138000", "looks_like_advert"),
    ],
)
def test_a_name_is_no_place_for_advertising(typed: str, reason: str) -> None:
    with pytest.raises(RuleViolation) as no:
        clean_name(typed)
    assert no.value.reason == reason


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        (" Worker@Example.COM ", "worker@example.com"),
        ("first.last+lunch@sub.example.cn", "first.last+lunch@sub.example.cn"),
        ("a@例子.中国", "a@xn--fsqu00a.xn--fiqs8s"),
        ("abc＠example.com", "abc@example.com"),
        ("ａｂｃ＠ｅｘａｍｐｌｅ．ｃｏｍ", "abc@example.com"),
        ("abc@example。com", "abc@example.com"),
        ("\u202aabc@example.com\u202c", "abc@example.com"),
        ("\ufeffabc@exa\u200bmple.com\u3000", "abc@example.com"),
        ("abc\ufe0f@example.com\ufffc", "abc@example.com"),
        ("abc@example.com。", "abc@example.com"),
        ("abc@example.com，", "abc@example.com"),
        ("abc@example.com. ", "abc@example.com"),
        ("“abc@example.com”、", "abc@example.com"),
        ("mailto:abc@example.com", "abc@example.com"),
        ("邮箱：abc@example.com；", "abc@example.com"),
        ("E-mail: abc@example.com", "abc@example.com"),
        ("<abc@example.com>", "abc@example.com"),
        ("林晓 <abc@example.com>;", "abc@example.com"),
        ('"Lin, Xiao" <abc@example.com>', "abc@example.com"),
    ],
)
def test_an_address_is_kept_in_one_form(typed: str, kept: str) -> None:
    assert clean_email(typed) == kept


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "worker",
        "worker@",
        "@example.com",
        "a b@example.com",
        "a@localhost",
        "a@b..com",
        "a@example.com\nBcc: all@example.com",
        "张 三@example.com",
        "a@" + "x" * 250 + ".com",
        "a@example.com,b@example.com",
        "a@example.com <b@example.com>",
        "a@example.com Bcc: b@example.com",
        "http://a@example.com",
        "<a@example.com> <b@example.com>",
        "<a>@example.com",
    ],
)
def test_what_is_no_address_is_refused(typed: str) -> None:
    with pytest.raises(RuleViolation, match="bad_email"):
        clean_email(typed)


@pytest.mark.parametrize("typed", ["张三@example.com", "李静@例子.中国", "müller@example.com", "<zhang三@example.com>"])
def test_an_address_that_few_servers_pass_on_is_refused_with_the_reason(typed: str) -> None:
    with pytest.raises(RuleViolation, match="email_not_ascii"):
        clean_email(typed)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("", ""),
        ("138 0013 8000", "13800138000"),
        ("+86-138-0013-8000", "+8613800138000"),
        ("１３８００１３８０００", "13800138000"),
        ("138–0013–8000", "13800138000"),
        ("138—0013—8000", "13800138000"),
        ("138‑0013−8000", "13800138000"),
        ("＋86（138）0013．8000", "+8613800138000"),
        ("\u202d138 0013 8000\u202c", "13800138000"),
        ("138 0013 8000。", "13800138000"),
        ("手机：138-0013-8000，", "13800138000"),
        ("tel:+86-138-0013-8000", "+8613800138000"),
        ("（010）6500 1234", "01065001234"),
    ],
)
def test_a_phone_number_is_kept_as_digits(typed: str, kept: str) -> None:
    assert clean_phone(typed) == kept


@pytest.mark.parametrize("typed", ["12345", "call me", "1" * 16, "138001380<b>", "+", "٣٤٥٦٧٨٩"])
def test_what_is_no_phone_number_is_refused(typed: str) -> None:
    with pytest.raises(RuleViolation, match="bad_phone"):
        clean_phone(typed)


@pytest.mark.parametrize(
    "typed",
    [
        *(
            "405695",
            " 405695 ",
            "４０５６９５",
            "405 695",
            "405-695",
            "405–695",
            "40 56 95",
            "4 0 5 6 9 5",
            "405\u3000695",
        ),
        *(
            "验证码：405695",
            "【白领驿站】验证码 405695，15 分钟内有效",
            "Your code is 405-695. Valid for 15 minutes.",
            "“405695”",
        ),
        *("405\u200b695\ufeff", "4️⃣0️⃣5️⃣6️⃣9️⃣5️⃣", "405695。", "405.695", "“405695”"),
    ],
)
def test_a_code_is_read_as_it_is_pasted(typed: str) -> None:
    assert clean_code(typed) == "405695"


@pytest.mark.parametrize("typed", ["", "40569", "4056950", "405695 405696", "abcdef", "٤٠٥٦٩٥", "20261129 1010"])
def test_what_is_no_code_is_refused(typed: str) -> None:
    with pytest.raises(RuleViolation, match="no_code"):
        clean_code(typed)


def test_a_company_may_be_called_after_its_site_but_not_link_to_it() -> None:
    assert clean_company("58.com 同城") == "58.com 同城"
    with pytest.raises(RuleViolation, match="looks_like_advert"):
        clean_company("https://58.com")


def test_only_languages_that_we_speak() -> None:
    with pytest.raises(RuleViolation, match="bad_language"):
        clean_language("fr")
