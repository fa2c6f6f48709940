"""Odd input, made from a seed: texts, numbers, headers, bodies, addresses and files that no browser of ours sends."""

import json
from random import Random
from typing import Any
from urllib.parse import quote, quote_from_bytes, urlencode

TEXTS = (
    "", " ", "0", "-1", "1", "y", "on", "null", "true", "a", "周明", "2026-11-24", "2026-11-24ZZZ", "12:10",
    "\u202eabc\u202c", "مرحبا بالعالم", "𰀀𱍐𠮷", "\ue000\uf8ff", "e\u0301" * 9, "👩‍👩‍👧‍👦", "\u200b\ufeff", "\ufffe\uffff",
    "<script>alert(1)</script>", "\"'><b>", "{{ 7*7 }}", "%(name)s", "%s%n", "{0.__class__}", "=cmd()", "＝1",
    "'; DROP TABLE person; --", "%", "_", "\\", "../../etc/passwd", "C:\\con", "//evil.example", "http://[", "http://[::1",
    "http://localhost:99999/", "x@y", "a@[", "a@" + "b" * 300 + ".cn", "worker@example.com", "a@xn--a.cn", "a@例子.测试",
    "长" * 3000, "a" * 5000, "\t", "\r\nX: y", "a\x00b", "\x1b[0m", "\x7f\x85\u2028", "١٢٣", "５０", "²", "½", "Ⅷ",
    "1e9", "1e999", "nan", "inf", "-0", "3.5", "0x10", "1_000", "9" * 9, "9" * 18, "9" * 19, "9" * 5000,
    "9223372036854775807", "9223372036854775808", "18446744073709551616", "2147483648", "0001-01-01", "9999-12-31",
    "2026-02-30", "2026-W48-1", "20261124", "10000-01-01", "24:00", "25:61", "[]", "{}", "[" * 2000, '{"year": 1e400}',
)  # fmt: skip
BYTES = (
    b"\xff\xfe",
    b"\xed\xa0\x80",
    b"\xc0\xaf",
    b"\x00",
    b"%zz",
    b"\xe4\xbd",
    b"\xf4\x90\x80\x80",
    b"\x80abc",
    b"\xd5\xc5",
)
IDS = (
    "0",
    "-1",
    "00001",
    "9" * 18,
    "1" + "0" * 18,
    "9223372036854775808",
    "9" * 400,
    "１",
    "١",
    "1.0",
    "0x1",
    "+1",
    " 1",
    "x",
)
TOKENS = (
    "", ".", "..", "a.b", "a.b.c", "W10.", "e30.aaa.bbb", "令牌", "=" * 9, "A" * 4000, "eyJhIjoxfQ.YWJj.c2ln",
    ".eJyrVkpUslIyUqoFABFoAuw.aaaa.bbbb", "x|é", "|", "1|" + "f" * 128,
)  # fmt: skip
HEADERS: dict[str, tuple[str, ...]] = {
    "Accept-Language": ("en;q=nan", "en;q=inf", ";q=", "zh-Hans-CN-u-nu-arab;q=0.1,*", "x" * 3000, ",,,;;;", "en-\xff", "_"),
    "Accept-Encoding": ("gzip;q=x", "br;q=", ";q=0", "gzip;q=1e999", "*;q=nan", "zstd, br, gzip", "\xe9", "gzip;q=0;q=1"),
    "Accept": ("*/*;q=x", "text/html;q=nan", "\xff", "application/json"),
    "If-None-Match": ("*", '"', 'W/', 'W/"', '"a', 'W/"\xe9"', "," * 99, "x" * 3000, '"a",W/"b"'),
    "If-Modified-Since": ("x", "Mon, 01 Jan 99999999999999999999 00:00:00 GMT", "Sun, 31 Feb 2026 25:61:61 +9999",
                          "Mon, 01 Jan 0001 00:00:00 +2359", "Fri, 31 Dec 9999 23:59:59 -2359", "1 1 1", "\xff"),
    "If-Range": ('"x', "Mon, 01 Jan 99999999999999 00:00:00 GMT", "\xff"),
    "Range": ("bytes=0-", "bytes=9-1", "bytes=-", "bytes=" + "9" * 5000 + "-", "bytes=²-", "bytes=-9", "x=1-2", "bytes=1-2,5-6",
              "bytes=99999999999-999999999999", "bytes=0-0,-1"),
    "Content-Type": ("", "x", "text/html; charset=\xff", "multipart/form-data", "multipart/form-data; boundary=",
                     "application/json",
                     "multipart/form-data; boundary=" + "b" * 300, "application/x-www-form-urlencoded; charset=utf-7",
                     "multipart/form-data; boundary=\xff", "multipart/form-data; boundary*=utf-8''%ff",
                     "a/b; c*0*=x''%zz; c*1=2"),
    "Content-Length": ("", "-1", "x", "²", "9" * 18, "9" * 5000, "1e3", " 5", "+5", "0"),
    "Content-Encoding": ("gzip", "\xff"),
    "Transfer-Encoding": ("chunked", "x"),
    "Host": ("", "[", "[::1", "localhost:99999999", "localhost:x", "a b", "\xff", "例子", "a" * 3000, "evil.example",
             "../..", ":", "@"),
    "X-Forwarded-For": ("", ",", "[", "::1", "fe80::1%eth0", "999.1.1.1", "a" * 3000, "1.1.1.1, \xff", "2001:db8::/64",
                        "unknown"),
    "X-Forwarded-Proto": ("https", "x", "\xff", ","),
    "X-Forwarded-Host": ("[", "\xff"),
    "User-Agent": ("", "\xff\xfe", "a" * 5000, "MicroMessenger", "<b>", "Mozilla/5.0 (iPhone) MicroMessenger/8.0 iPhone"),
    "Referer": ("http://[", "http://[::1", "//[", "http://localhost/\xff", "http://localhost:x/", "a" * 5000, "http://localhost\\@x",
                "http://localhost/account/?a=1", "http://[v1.a]/", "http://localhost:99999999/", "javascript:x", "http://a\u3002b"),
    "Origin": ("null", "http://[", "\xff"),
    "HX-Request": ("true", "TRUE", "\xff"),
    "HX-Current-URL": ("http://[", "http://[]/", "\xff", "http://localhost/me?x=\xff", "a" * 5000, "http://localhost:x/"),
    "HX-Target": ("", "#", "div#", "div#slot_row_1", "slot_row#" + "9" * 400, "\xff", "div#desk", "slot_row_" + "9" * 30),
    "HX-Trigger": ("\xff", "x" * 3000),
    "HX-Boosted": ("true",),
    "HX-History-Restore-Request": ("true",),
    "X-CSRFToken": ("x", "\xff", "e30.aaa.bbb"),
    "Authorization": ("Basic", "Basic \xff", "Basic " + "=" * 9, "Digest a=", "Bearer x", 'Digest username="'),
    "Cache-Control": ("max-age=x", "no-cache", "=,=", 'max-age="'),
    "Forwarded": ("for=[", "\xff"),
    "Cookie": (),
}  # fmt: skip
COOKIES = ("lunch", "lang", "acted", "scan", "door", "remember_token", "session", "__Host-lunch")


def text(random: Random) -> str:
    """One of the odd texts, or two of them joined; what arrives in a form or a query."""
    one = random.choice(TEXTS)
    return one if random.random() < 0.8 else one[: random.randrange(60)] + random.choice(TEXTS)


def raw(random: Random) -> str:
    """The same, encoded for an address or a form, sometimes as bytes that are no UTF-8."""
    return quote_from_bytes(random.choice(BYTES)) if random.random() < 0.15 else quote(text(random), safe="")


def header(random: Random) -> tuple[str, str]:
    """A header as WSGI has it: each byte a letter."""
    name = random.choice(list(HEADERS))
    if name == "Cookie":
        return name, cookie(random)
    if random.random() < 0.7:
        return name, random.choice(HEADERS[name]).encode("utf-8" if name == "Host" else "latin-1", "replace").decode(
            "latin-1"
        )
    return name, "".join(text(random).split("\x00")).replace("\r", "").replace("\n", "").encode().decode("latin-1")


def cookie(random: Random) -> str:
    value = random.choice(TOKENS) if random.random() < 0.7 else raw(random)
    name = random.choice(COOKIES)
    return (
        random.choice((f"{name}={value}", f"{name}", f"{name}={value}; {name}={value}", f'{name}="{value}', ";=;"))
        .encode()
        .decode("latin-1")
    )


def pairs(random: Random, known: dict[str, str]) -> list[tuple[str, str]]:
    """A form's fields with some of them made odd, left out, said twice; values still to be encoded."""
    sent = list(known.items())
    for _ in range(random.choice((0, 1, 1, 1, 2, 3))):
        act = random.random()
        if sent and act < 0.7:
            place = random.randrange(len(sent))
            sent[place] = sent[place][0], text(random)
        elif sent and act < 0.8:
            sent.pop(random.randrange(len(sent)))
        else:
            sent.append((random.choice([*known, "x", "csrf_token", "next", "back", text(random)]), text(random)))
    return sent


def body(random: Random, known: dict[str, str], files: dict[str, bytes]) -> tuple[str, bytes]:
    """A content type, and a body that mostly is of it."""
    sent = pairs(random, known)
    how = random.random()
    if files or how < 0.2:
        kind, packed = multipart(random, sent, files)
    elif how < 0.25:
        kind, packed = "application/json", json.dumps(dict(sent)).encode()[: random.choice((None, 20))]
    else:
        kind, packed = "application/x-www-form-urlencoded", urlencode(sent, errors="surrogatepass").encode()
        if random.random() < 0.15:
            packed += b"&x=" + random.choice(BYTES)
    if random.random() < 0.1:
        packed = damaged(random, packed)
    if random.random() < 0.02:
        packed = b"&".join(b"p%d=1" % number for number in range(3000))
    return kind, packed


def multipart(random: Random, sent: list[tuple[str, str]], files: dict[str, bytes]) -> tuple[str, bytes]:
    line = random.choice(("b0undary", "b" * 70, "-", "--"))
    if random.random() < 0.02:
        sent = sent + [("part", "")] * 3000
    parts = [_part(line, f'name="{name}"', value.encode(errors="surrogatepass")) for name, value in sent]
    for name, content in files.items():
        named = random.choice(
            (f'filename="{quote(text(random)[:40])}"', "filename*=utf-8''%ff", 'filename=""', 'filename="表.xlsx"')
        )
        parts.append(_part(line, f'name="{name}"; {named}', content))
    end = random.choice((f"--{line}--\r\n",) * 4 + ("", f"--{line}", "--other--\r\n"))
    return f"multipart/form-data; boundary={line}", b"".join(parts) + end.encode()


def _part(line: str, says: str, content: bytes) -> bytes:
    return f"--{line}\r\nContent-Disposition: form-data; {says}\r\n\r\n".encode(errors="replace") + content + b"\r\n"


def damaged(random: Random, content: bytes) -> bytes:
    """Cut, with some bytes changed, or with a piece said twice."""
    changed = bytearray(content or b"x")
    for _ in range(random.choice((1, 1, 2, 8, 40))):
        changed[random.randrange(len(changed))] = random.randrange(256)
    act, place = random.random(), random.randrange(len(changed))
    if act < 0.2:
        del changed[place:]
    elif act < 0.3:
        changed[place:place] = changed[: random.randrange(200)]
    return bytes(changed)


def any_of(random: Random, values: list[Any]) -> Any:
    return random.choice(values) if values else ""
