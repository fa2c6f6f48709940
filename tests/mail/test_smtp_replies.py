"""SMTP replies: answers of real servers, and what they mean for the letter."""

import pytest

from booking.mail.smtp_replies import ABOUT_US, FINAL, Meaning, Stage, classify, readable, without_addresses

SESSION, SENDER, LETTER = Stage.SESSION, Stage.SENDER, Stage.LETTER
ADDRESS, CONTENT, LATER = Meaning.ADDRESS, Meaning.CONTENT, Meaning.LATER
UNCLEAR, THROTTLED, SETUP = Meaning.UNCLEAR, Meaning.THROTTLED, Meaning.SETUP

# As smtplib gives them: the code, and the lines without it.
AT_RCPT_OR_AFTER_DATA: list[tuple[int, str, Meaning]] = [
    # QQ, Tencent Exmail
    (550, "Sender frequency limited. http://service.mail.qq.com/x?no=1", THROTTLED),
    (550, "Domain frequency limited", THROTTLED),
    (550, "Connection frequency limited", THROTTLED),
    (550, "Ip frequency limited", THROTTLED),
    (550, "Suspected spam sender.", THROTTLED),
    (550, "sending quota exceeded", THROTTLED),
    (550, "域名当日发信量达到上限", THROTTLED),
    (501, "mail from address must be same as authorization user", SETUP),
    (550, "DMARC check failed", SETUP),
    (550, "Mailbox not found. http://service.mail.qq.com/x?no=2", ADDRESS),
    (550, "该用户未开通QQ邮箱", ADDRESS),
    (501, "Bad address syntax. http://service.exmail.qq.com/x", ADDRESS),
    (550, "Mailbox unavailable or access denied", LATER),
    (550, "Mail is rejected by recipients", LATER),
    (550, "Mail content denied. http://service.exmail.qq.com/x", CONTENT),
    # NetEase: 163, 126, qiye
    (554, "MI:SFQ 163 smtp4,x 1795492800 http://mail.163.com/help", THROTTLED),
    (554, "MI:STC 163 smtp4,x 1795492800", THROTTLED),
    (550, "MI:SPB 163 smtp4,x", THROTTLED),
    (550, "RP:TRC 163 smtp4,x", THROTTLED),
    (554, "HL:ICC 163 smtp4,x", THROTTLED),
    (421, "HL:IFC 163 smtp4,x", THROTTLED),
    (450, "MI:DMC 163 smtp4,x", THROTTLED),
    (553, "Mail from must equal authorized user", SETUP),
    (554, "DT:SUM 163 smtp4,x", SETUP),
    (554, "DT:SPM 163 smtp4,x http://mail.163.com/help", CONTENT),
    (451, "DT:SPM ,please try again", LATER),
    (550, "User not found: somebody@163.com", ADDRESS),
    (550, "User suspended", UNCLEAR),
    # Aliyun, Alibaba Mail
    (440, "mail from account doesn't conform with authentication", SETUP),
    (501, '"MAIL FROM" is non-local account', SETUP),
    (541, "This account isn't allowed to send email", SETUP),
    (504, "the number of RCPT attempts is achieved the maximum threshold", THROTTLED),
    (554, "Reject by behaviour spam", THROTTLED),
    (454, "Transient reject by behaviour spam", THROTTLED),
    (554, "Reject by content spam", CONTENT),
    (551, "virus infected mail rejected", CONTENT),
    (510, "The length of DATA content is achieved the maximum threshold", CONTENT),
    (552, "mailbox is full", LATER),
    (554, "RCPT (a@example.com) dosn't exist", ADDRESS),
    (553, '"RCPT TO" mailbox unavailable', UNCLEAR),
    # Sina, and Coremail as others run it
    (552, "message rejected by anti-spam engine", CONTENT),
    (552, "too many same size mails", THROTTLED),
    (552, "message is too long", CONTENT),
    (553, "Envolope sender mismatch with login user", SETUP),
    (553, "host denies the sender", SETUP),
    (554, "rbl deny", THROTTLED),
    (550, "black ip", THROTTLED),
    (551, "auth error", SETUP),
    (550, "user is locked", LATER),
    (550, "sender is rejected", SETUP),
    # Exchange, Outlook
    (550, "5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup", ADDRESS),
    (550, "5.4.1 Recipient address rejected: Access denied", UNCLEAR),
    (550, "5.5.0 Requested action not taken: mailbox unavailable", UNCLEAR),
    (550, "5.1.8 Access denied, bad outbound sender", SETUP),
    (550, "5.7.60 SMTP; Client does not have permissions to send as this sender", SETUP),
    (554, "5.2.0 STOREDRV.Submission.Exception:SendAsDeniedException", SETUP),
    (530, "5.7.57 Client not authenticated to send mail", SETUP),
    (550, "5.7.705 Access denied, tenant has exceeded threshold", THROTTLED),
    (550, "5.7.501 Access denied, spam abuse detected", THROTTLED),
    (550, "5.7.606 Access denied, banned sending IP [192.0.2.1]", THROTTLED),
    (451, "4.7.500 Server busy. Please try again later", THROTTLED),
    (432, "4.3.2 Concurrent connections limit exceeded", UNCLEAR),
    (550, "5.7.900 TRANSPORT.RULES.RejectMessage; rejected by organization policy", UNCLEAR),
    (554, "5.2.2 mailbox full", LATER),
    (550, "5.2.1 Mailbox disabled", LATER),
    # Gmail
    (550, "5.1.1 The email account that you tried to reach does not exist\n5.1.1 please try checking", ADDRESS),
    (550, "5.7.1 [192.0.2.1] Our system has detected an unusual rate of\n5.7.1 unsolicited mail", THROTTLED),
    (550, "5.7.1 this message is likely unsolicited mail", CONTENT),
    (550, "5.7.26 This message does not pass authentication checks", SETUP),
    (550, "5.4.5 Daily user sending limit exceeded", THROTTLED),
    (421, "4.7.0 Try again later, closing connection", UNCLEAR),
    (450, "4.2.1 The user is receiving mail at a rate that prevents more", LATER),
    (452, "4.2.2 The recipient's inbox is out of storage space", LATER),
    (552, "5.7.0 blocked because its content presents a security issue", CONTENT),
    # Postfix and its kin
    (550, "5.1.1 <a@example.com>: Recipient address rejected: User unknown in local recipient table", ADDRESS),
    (550, "5.1.0 <lunch@example.com>: Sender address rejected: User unknown in local table", SETUP),
    (553, "5.7.1 <lunch@example.com>: Sender address rejected: not owned by user lunch", SETUP),
    (450, "4.1.8 <lunch@example.com>: Sender address rejected: Domain not found", SETUP),
    (554, "5.7.1 <a@example.com>: Relay access denied", SETUP),
    (550, "5.7.1 Client host rejected: cannot find your hostname", SETUP),
    (550, "5.7.1 refused", UNCLEAR),
    (550, "5.7.1 User unknown", LATER),
    (450, "4.2.0 <a@example.com>: Recipient address rejected: Greylisted", LATER),
    (451, "4.7.1 Greylisting in action, please come back later", LATER),
    (450, "4.7.1 too many letters, slow down", THROTTLED),
    (452, "4.3.1 Insufficient system storage", UNCLEAR),
    (552, "5.3.4 Message size exceeds fixed limit", CONTENT),
    (552, "Message size exceeds maximum permitted", CONTENT),
    (550, "5.0.0 User unknown", ADDRESS),
    (550, "sorry, no mailbox here by that name. (#5.1.1)", ADDRESS),
    (553, "5.6.7 SMTPUTF8 is required", CONTENT),
    (550, "No such user here", ADDRESS),
    (550, "Unknown recipient", ADDRESS),
    (550, "邮箱不存在", ADDRESS),
    (550, "账户不存在", ADDRESS),
    (550, "收件人邮箱已满", LATER),
    (550, "发信频率过高,请稍后再试", THROTTLED),
    (553, "发件人与登录账号不一致", SETUP),
    # Exim and OpenSMTPD
    (550, "Unrouteable address", ADDRESS),
    (550, "Verification failed for <lunch@example.com>\nUnrouteable address\nSender verify failed", SETUP),
    (451, "Could not complete sender verify", SETUP),
    (451, "Temporary local problem - please try later", UNCLEAR),
    (550, "relay not permitted", SETUP),
    (550, "Invalid recipient: <a@example.com>", UNCLEAR),
    (550, "5.1.1 Invalid recipient: <a@example.com>", ADDRESS),
    (550, "Invalid recipient address", ADDRESS),
    (524, "5.2.4 Mailing list expansion problem: <a@example.com>", LATER),
    # Signing in
    (530, "Must issue a STARTTLS command first", SETUP),
    (535, "", SETUP),
    # Nothing to go by
    (550, "", UNCLEAR),
    (554, "Transaction failed", UNCLEAR),
    (421, "", UNCLEAR),
    (451, "Requested action aborted: local error in processing", UNCLEAR),
    (450, "User unknown", LATER),
    (-1, "HTTP/1.1 400 Bad Request", UNCLEAR),
    # Words in an address or a link say nothing
    (550, "<frequency@quota.example.com>: User unknown", ADDRESS),
    (550, "5.1.1 <virus@spam.example.com>", ADDRESS),
    (550, "refused, see https://example.com/user-not-found", UNCLEAR),
    # An IP address is no status code
    (550, "5.1.1.7 refused", UNCLEAR),
]


@pytest.mark.parametrize(("code", "said", "meaning"), AT_RCPT_OR_AFTER_DATA)
def test_what_a_server_says_of_a_letter(code: int, said: str, meaning: Meaning) -> None:
    assert classify(code, said.encode(), LETTER) == meaning
    assert classify(code, said, LETTER) == meaning


@pytest.mark.parametrize("said", [said for _, said, _ in AT_RCPT_OR_AFTER_DATA if not said.isascii()])
def test_gbk_is_read_like_utf_8(said: str) -> None:
    for charset in ("gbk", "gb18030"):
        assert readable(said.encode(charset)) == said
        assert classify(550, said.encode(charset)) == classify(550, said)


@pytest.mark.parametrize("code", [421, 450, 451, 452])
def test_what_is_temporary_by_its_code_never_ends_a_letter(code: int) -> None:
    assert [said for _, said, _ in AT_RCPT_OR_AFTER_DATA if classify(code, said, LETTER) in FINAL] == []


@pytest.mark.parametrize(
    ("code", "said", "meaning"),
    [
        (550, "Sender frequency limited", THROTTLED),
        (554, "MI:SFQ 163", THROTTLED),
        (553, "Mail from must equal authorized user", SETUP),
        (550, "User not found", SETUP),  # no reader has been named yet
        (550, "5.1.1 unknown", SETUP),
        (550, "", SETUP),
        (552, "5.3.4 message too big", CONTENT),  # of the SIZE that MAIL announces
        (452, "4.3.1 Insufficient system storage", UNCLEAR),
        (451, "try later", UNCLEAR),
    ],
)
def test_what_a_server_says_of_the_sender(code: int, said: str, meaning: Meaning) -> None:
    assert classify(code, said, SENDER) == meaning


@pytest.mark.parametrize(
    ("code", "said", "meaning"),
    [
        (421, "4.7.0 too many connections", THROTTLED),
        (421, "", THROTTLED),
        (454, "TLS not available due to temporary reason", THROTTLED),
        (554, "HL:IHU 163", THROTTLED),
        (554, "5.7.1 Client host rejected: Access denied", SETUP),
        (535, "Login Fail. Please enter your authorization code to login", SETUP),
        (526, "Authentication failure[0]", SETUP),
        (535, "认证失败", SETUP),
        (550, "User not found", SETUP),
        (501, "HELO: invalid name", SETUP),
        (554, "", SETUP),
    ],
)
def test_before_a_letter_is_begun_every_answer_is_about_us(code: int, said: str, meaning: Meaning) -> None:
    assert classify(code, said, SESSION) == meaning
    assert meaning in ABOUT_US


def test_what_cannot_be_read_is_escaped() -> None:
    assert readable(b"550 \xff\xfe\x81") == "550 \\xff\\xfe\\x81"
    assert classify(550, b"\xff\xfe\x81 User unknown") == ADDRESS
    assert len(readable(b"x" * 100_000)) == 1000


def test_addresses_are_left_out() -> None:
    said = '554 <a@example.com>: refused, b@example.com "李静@例子.com"'
    assert without_addresses(said) == '554 …: refused, … "…"'
