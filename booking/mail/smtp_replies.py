"""SMTP replies: whether a server's answer concerns the letter's address, its content, the sender, or is transient.

Servers in China answer temporary refusals with 5xx, and any server may refuse the sender at MAIL, at RCPT or after the
body. So the reply code alone ends no letter: the enhanced status code (RFC 3463) does, or the text where that code is
missing or unspecific. Texts may be in GBK.
"""

import re
from enum import StrEnum

ADDRESSES = re.compile(r"<[^<>\s]*>|[^\s<>\"'(),;:]+@[^\s<>\"'(),;:]+")
_LINKS = re.compile(r"https?://\S+|www\.\S+")
# At the start of a line, or as qmail writes it: (#5.1.1). Never a part of an IP address.
_STATUS = re.compile(r"(?:^|#)[245]\.(\d{1,3})\.(\d{1,3})(?![.\d])", re.MULTILINE)
# The rest of longer answers is ignored.
_LONGEST = 1000


class Stage(StrEnum):
    """Where in the SMTP dialogue the answer came; no recipient is named before RCPT."""

    SESSION = "session"  # connecting, EHLO, STARTTLS, AUTH
    SENDER = "sender"  # MAIL FROM
    LETTER = "letter"  # RCPT TO, DATA, the end of the body


class Meaning(StrEnum):
    """What an answer concerns."""

    ADDRESS = "address"  # final: there is no such mailbox
    CONTENT = "content"  # final: too large, or taken for spam
    LATER = "later"  # this recipient's mailbox, now; does not concern other letters
    UNCLEAR = "unclear"  # again later; several in a row concern the sender
    THROTTLED = "throttled"  # the sender: frequency, quota, reputation
    SETUP = "setup"  # the sender: password, address, relaying; a person has to act


FINAL = {Meaning.ADDRESS, Meaning.CONTENT}
ABOUT_US = {Meaning.THROTTLED, Meaning.SETUP}
# Authentication is missing or wrong, at any stage.
_AUTH_CODES = {530, 534, 535, 538}
# RFC 3463 by subject and detail. 5.1.7 and 5.1.8 are of the sender's address; 5.4.5 is Gmail's daily limit.
_STATUSES = {
    (1, 7): Meaning.SETUP,
    (1, 8): Meaning.SETUP,
    (2, 1): Meaning.LATER,
    (2, 2): Meaning.LATER,
    (2, 3): Meaning.CONTENT,
    (2, 4): Meaning.LATER,
    (3, 1): Meaning.UNCLEAR,
    (3, 2): Meaning.UNCLEAR,
    (3, 4): Meaning.CONTENT,
    (4, 5): Meaning.THROTTLED,
}
_OTHERWISE = {1: Meaning.ADDRESS, 6: Meaning.CONTENT}
# Subject 7 is security and policy. 20 to 27: SPF, DKIM, DMARC, reverse DNS; from 500: limits and bans of Exchange.
_SETUP_POLICIES = {3, 4, 8, 9, 10, 11, 14, *range(20, 28), 57, 60}
_THROTTLE_POLICIES = range(500, 800)

# The first match decides. Texts are in lower case, without addresses and links.
_TEXTS: list[tuple[Meaning, *tuple[str, ...]]] = [
    # NetEase: MI at MAIL, RP at RCPT, HL at HELO, DT after DATA, WM for its white lists.
    (Meaning.SETUP, r"\b(dt:sum|mi:imf)\b"),
    (Meaning.CONTENT, r"\bdt:spm\b"),
    (Meaning.THROTTLED, r"\b(mi|rp|hl|dt|wm|ip|cl):[a-z]{3}\b"),
    (
        Meaning.CONTENT,
        r"\b(size|length)\b.{0,50}\b(exceed|limit|maximum)|exceed.{0,30}\b(mail|message|max\w*)? ?(size|length)",
        r"too (big|large|long)\b|过大|太大|大小超|超过.{0,6}大小",
    ),
    (
        Meaning.LATER,
        r"(mail ?box|inbox|user|recipient|account|storage|disk)\b.{0,16}\b(full|over its quota|quota exceeded)",
        r"gr[ae]y-?list|quota.{0,20} for user|over ?quota",
        r"(space|storage) (is )?not enough|out of storage|insufficient.{0,12}(space|storage)",
        r"receiving (e-?mail|mail|messages).{0,20}(quickly|rate)|mailbox (is )?(busy|locked)|user is locked",
        r"mailbox unavailable or access denied|rejected by recipient",
        r"(邮箱|信箱|收件箱|容量|空间).{0,6}(已满|满了|不足|超限)|灰名单|对方拒收|收件人拒",
    ),
    (
        Meaning.SETUP,
        r"(same as|equal|match|conform with|belong to|owned by).{0,20}\b(auth\w*|user|login|account)",
        r"sender verify|sender.{0,30}\b(rejected|denied|refused|invalid|mismatch|unvalidated|not allowed|not permitted|unknown)",
        r"(invalid|denie[sd]|rejected|reject|fake|unauthori[sz]ed|bad)( the)? sender|sendasdenied|send as\b",
        r"mail ?from\W.{0,25}(invalid|not allowed|denied|non-local|must)|isn't allowed to send|not allowed to send",
        r"relay.{0,25}(denied|not|fail|prohibited|reject)|(denie[sd]|not|unable|cannot|prohibited).{0,20}\brelay",
        r"auth\w*.{0,25}\b(required|fail\w*|error|invalid|first|unsuccessful)",
        r"(not|n't|need|must|please)( be)? (authenticat\w*|log ?in|sign in)|login fail|password.{0,20}(incorrect|wrong|invalid)",
        r"starttls|\bssl\b|tls.{0,12}required|client host rejected|reverse (dns|hostname)|ptr record|helo command rejected",
        r"\b(spf|dkim|dmarc)\b",
        r"(认证|验证|登录|登陆|鉴权)(未通过|失败|错误)|授权码|(发件人|发信人|发件地址).{0,12}(一致|不符|不匹配|拒绝|无效|非法|不合法|被拒)",
        r"(不允许|拒绝|禁止).{0,4}(中继|转发)",
    ),
    (
        Meaning.THROTTLED,
        r"frequen\w+|too (many|much|fast|quick\w*|often)|slow down|throttl|rate ?-?limit|\brate\b.{0,30}mail",
        r"(sending|daily|hourly|message|mail|send|rcpt\w*|relay|connection\w*|concurren\w+).{0,20}\b(limit|quota|threshold)",
        r"limit (exceeded|reached)|exceed\w* .{0,40}(limit|quota|threshold)|quota|maximum threshold|per (day|hour|minute)",
        r"spam sender|outbound ?spam|behaviou?r spam|reputation|black ?-?list|block ?-?list|\brbl\b|spamhaus|black ip",
        r"banned|suspicious (activity|login)|\bip\b.{0,30}(reject|block|denied|hangup)|(blocked|listed) (by|using|at|in)",
        r"频率|频繁|超过.{0,12}(限制|上限)|达到.{0,6}上限|超限|限额|发信量|黑名单|信誉|请稍后",
    ),
    # OpenSMTPD says just this of an unknown mailbox, and of every address where it does not relay for us.
    (Meaning.UNCLEAR, r"^invalid recipient:$"),
    (
        Meaning.ADDRESS,
        r"(user|mail ?box|recipient|account|address|rcpt|person)\b.{0,30}(unknown|n[o']?t exist|no longer|invalid)",
        r"(user|mail ?box|recipient|account|address|rcpt|person)\b.{0,30}not (found|known|valid|a valid|local)",
        r"unrouteable address|no such \w+",
        r"(unknown|invalid|bad|nonexistent) (local )?(user|recipient|mail ?box|account|address|rcpt|destination)",
        r"(don't|not|doesn't) (exists?|have).{0,12}\b(user|mailbox|account)|no (mailbox|user|account)\b",
        r"(domain|host).{0,20}not (found|exist)",
        r"(用户|邮箱|收件人|收信人|账号|帐号|账户|地址).{0,6}(不存在|无效|未找到|没有找到|错误)",
        r"(无|没有|查无)(此|这个|该)(用户|邮箱|人|账号|帐号)|未开通",
    ),
    (
        Meaning.CONTENT,
        r"content|spam|virus|malware|infected|unsolicited|phish|line too long|smtputf8|8bit\w* .{0,20}not",
        r"non-ascii|internationali[sz]ed|内容|垃圾|病毒",
    ),
]
_PATTERNS = [(meaning, re.compile("|".join(patterns))) for meaning, *patterns in _TEXTS]


def classify(code: int, said: bytes | str, stage: Stage = Stage.LETTER) -> Meaning:
    """The meaning of a refusal. Codes other than 4xx and 5xx, which no server should send there, are unclear."""
    text = readable(said)
    words, status = _words(text), _status(text)
    if stage is Stage.SESSION:
        return Meaning.THROTTLED if code < 500 or _by_text(words) is Meaning.THROTTLED else Meaning.SETUP
    if code in _AUTH_CODES:
        return Meaning.SETUP
    meaning = _together(_by_text(words), status)
    if meaning in FINAL and not 500 <= code < 600:
        return Meaning.LATER
    if stage is Stage.SENDER and 500 <= code < 600 and meaning not in (Meaning.CONTENT, Meaning.THROTTLED):
        return Meaning.SETUP
    return meaning


def readable(said: bytes | str, longest: int = _LONGEST) -> str:
    """The text of an answer: UTF-8, else GB18030 (which contains GBK), else ASCII with the rest escaped."""
    if isinstance(said, str):
        return said[:longest]
    for charset in ("utf-8", "gb18030"):
        try:
            return said.decode(charset)[:longest]
        except UnicodeDecodeError:
            continue
    return said.decode("ascii", "backslashreplace")[:longest]


def without_addresses(text: str) -> str:
    """The text without addresses, as it may be stored and shown."""
    return ADDRESSES.sub("…", text)


def _words(text: str) -> str:
    """The text for the patterns: without addresses and links, which may contain any word."""
    lines = _STATUS.sub(" ", _LINKS.sub(" ", ADDRESSES.sub(" ", text)))
    return " ".join(lines.lower().split())


def _status(text: str) -> tuple[int, int] | None:
    """Subject and detail of the enhanced status code."""
    found = _STATUS.search(text)
    return (int(found[1]), int(found[2])) if found else None


def _together(by_text: Meaning | None, status: tuple[int, int] | None) -> Meaning:
    """A text about the sender outweighs a code about the address: servers use 5.1.x for senders too."""
    by_status = _by_status(*status) if status else None
    if by_text is Meaning.SETUP and by_status is not Meaning.CONTENT:
        return Meaning.SETUP
    if by_status:
        return by_status
    if by_text is Meaning.ADDRESS and status and status not in {(0, 0), (5, 0)}:
        return Meaning.LATER  # a mailbox is gone only where the code does not say otherwise
    return by_text or Meaning.UNCLEAR


def _by_text(words: str) -> Meaning | None:
    return next((meaning for meaning, pattern in _PATTERNS if pattern.search(words)), None)


def _by_status(subject: int, detail: int) -> Meaning | None:
    """The meaning of the status code alone; None where it is unspecific."""
    if subject == 7:
        return _by_policy(detail)
    if subject in _OTHERWISE and (subject, detail) not in _STATUSES:
        return _OTHERWISE[subject]
    return _STATUSES.get((subject, detail))


def _by_policy(detail: int) -> Meaning | None:
    if detail in _SETUP_POLICIES:
        return Meaning.SETUP
    if detail in _THROTTLE_POLICIES:
        return Meaning.THROTTLED
    return Meaning.CONTENT if detail == 7 else None
