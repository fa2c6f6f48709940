"""Translations: the English catalogue has every Chinese sentence of the code."""

import re
from collections.abc import Iterator
from functools import cache

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po

import config

TRANSLATIONS = config.ROOT / "booking" / "translations"
CHINESE = re.compile(r"[\u3400-\u9fff\u3000-\u303f\uff00-\uffef]")
# Names that are Chinese in English too.
KEPT = {"中文"}


@cache
def said() -> set[str]:
    """Every sentence of the code and the templates, in Chinese."""
    with (TRANSLATIONS / "babel.cfg").open() as file:
        methods, options = parse_mapping_cfg(file)
    keywords = DEFAULT_KEYWORDS | {"lazy_gettext": None, "lazy_ngettext": (1, 2)}
    found = [message for _, _, message, _, _ in extract_from_dir(config.ROOT, methods, options, keywords)]
    assert found
    return {message[0] if isinstance(message, tuple) else message for message in found}


def catalogue() -> Catalog:
    with (TRANSLATIONS / "en" / "LC_MESSAGES" / "messages.po").open("rb") as file:
        return read_po(file, locale="en")


def forms(message: Message) -> Iterator[str]:
    yield from [message.string] if isinstance(message.string, str) else message.string


def placeholders(sentence: str) -> set[str]:
    return set(re.findall(r"%\(\w+\)\w", sentence))


def test_every_sentence_has_its_english() -> None:
    english = catalogue()
    missing = [text for text in said() if text not in english or not all(forms(english[text]))]
    assert not missing, "run `make catalogue` and translate"


def test_the_code_still_says_every_sentence_of_the_catalogue() -> None:
    ids = {m.id[0] if isinstance(m.id, tuple) else m.id for m in catalogue() if m.id}
    assert not ids - said(), "run `make catalogue`"


def test_english_keeps_the_placeholders_and_no_chinese() -> None:
    for message in catalogue():
        if message.id:
            chinese = message.id[0] if isinstance(message.id, tuple) else message.id
            assert placeholders(list(forms(message))[-1]) == placeholders(chinese)
            assert not any(CHINESE.search(text) for text in forms(message)) or chinese in KEPT, message.id


# Nouns that are counted, in the plural; and placeholders that are no count, or one that is never 1.
PLURALS = (
    "people|seats|sessions|slots|minutes|hours|days|weeks|months|times|letters|e-mails|bookings|places|entries|visits"
    "|strikes|no-shows|workdays|waiting lists|stations|accounts|recovery codes|things|characters|rows|columns"
)
NO_COUNT = (
    "time|day|when|date|first|last|title|station|zone|name|names|from|until|free|release|slots|limit|rows|text|year"
)
NEVER_ONE = {"提前 %(days)s 个工作日，%(time)s 放号，先到先得。"}  # of one there is another sentence
COUNTED = re.compile(rf"(?:%\((?!(?:{NO_COUNT})\))\w+\)s|\b1) (?:[a-z]+ )?(?:{PLURALS})\b")


def test_a_bad_plural_is_seen() -> None:
    """The control of what follows."""
    assert all(COUNTED.search(text) for text in ("1 people", "%(n)s free seats", "it takes %(minutes)s minutes"))
    assert not any(COUNTED.search(text) for text in ("1 person", "at %(time)s seats are free", "Seats: %(n)s"))


def test_english_never_says_1_people() -> None:
    """A sentence with a count has a singular, or is worded so that it needs none."""
    wrong = []
    for message in catalogue():
        if message.id and message.id not in NEVER_ONE:
            one, *others = forms(message)
            filled = one.replace("%(num)s", "1"), *(text.replace("%(num)s", "") for text in others)
            wrong += [text for text in filled if COUNTED.search(text)]
    assert wrong == []
