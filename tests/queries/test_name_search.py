"""Name search: what people type for a name, and what is not that name."""

import sys
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pypinyin import Style, pinyin

from booking.queries import name_readings, name_search
from booking.queries.folding import fold
from booking.queries.name_search import matches

DOTS = "·•‧・.．｡。∙⋅●-‐ \u3000'’"
NOT = None  # what follows is not found

# A name, what finds it, and after NOT what does not.
CASES: dict[str, list[str | None]] = {
    "周明": [
        *(
            "周明",
            "周",
            "明",
            "zhouming",
            "ZhouMing",
            "zm",
            "ZM",
            "zhm",
            "zhoum",
            "zming",
            "ming",
            "m",
            "z",
            "zhou ming",
        ),
        *("ｚｈｏｕｍｉｎｇ", "Ｚｍ", "zhōu míng", "zhou'ming", "zhou-ming", "周m", "z明", " 周 明 ", "周\u3000明"),
        *("mingzhou", "ming zhou", "MING ZHOU", "m zhou", "明周", "明 周", "Ming, Zhou"),
        *(
            NOT,
            "zhumin",
            "mz",
            "zhoumingx",
            "zmx",
            "houming",
            "an",
            "明周明",
            "zhouzhou",
            "周周",
            "zhomi",
            "o",
            "ng",
            "",
        ),
    ],
    "王小明": [
        *("wangxiaoming", "wxm", "xiaoming", "xm", "xiaoming wang", "xiaomingwang", "小明 王", "xiaomingw", "wang x"),
        *(NOT, "wangming", "mingwang", "xiaowang", "wm", "xmw", "小王", "王明", "wang m", "明小"),
    ],
    "欧阳小明": [
        "oyxm",
        "ouyang",
        "xiaoming ouyang",
        "xiaomingouyang",
        "小明欧阳",
        NOT,
        "xiaoming ou yang xiao",
        "yangou",
    ],
    "陈方舟": ["fang", "cfz", "chenfangzhou", NOT, "wang", "w"],
    "行晟": ["xing", "hang", "cheng", "sheng", "xs", NOT, "heng", "jing"],
    "安": ["an", "a", "安", NOT, "na", "ann", "n"],
    "王伟": ["w", "ww", "wangwei", "weiwang", NOT, "an", "ang", "wwang", "www", "ei"],
    "安娜": ["an", "na", "anna", "ana", NOT, "annan", "nn"],
    "王莉莉": ["lili", "li li", "wll", NOT, "lilili", "li li li"],
    "李静": ["li", "lij", NOT, "li li", "lili", "jing jing"],
    "买买提·艾合买提": [
        *(
            "买买提",
            "艾合买提",
            "买买提艾合买提",
            "买买提 艾合买提",
            "买买提.艾合买提",
            "买买提•艾合买提",
            "艾合买提·买买提",
        ),
        *("maimaiti", "aihemaiti", "maimaitiaihemaiti", "maimaiti aihemaiti", "aihemaiti maimaiti", "mmtahmt", "ahmt"),
        *("mmt", "艾合", "提艾", NOT, "艾买提", "aimaiti", "买艾", "提买", "mmtt"),
    ],
    "阿不都热依木·阿不都克里木": ["阿不都克里木", "abdrymabdklm", "abudukelimu", "abudureyimu", NOT, "阿不都木"],
    "热依罕古丽·吐尔逊江": ["reyihanguli", "tuerxunjiang", "吐尔逊江·热依罕古丽", "gltexj", NOT, "guli jiang han"],
    "迪丽热巴·迪力木拉提": ["dilireba", "dlrb", "迪力", "dilimulati dilireba", NOT, "热巴力木"],
    "吕布": ["lvbu", "lubu", "lyubu", "lübu", "lǚ bù", "LYU", "lb", "bu lyu", "lü", NOT, "libu", "lyb", "ybu"],
    "略女": ["lvenv", "luenu", "lyuenyu", "lüenü", NOT, "lenv"],
    "鲁迅": ["lu", "luxun", NOT, "lv", "lyu"],
    "绿萝": ["lvluo", "luluo", "lyuluo", NOT, "liluo"],
    "刘一ABC": ["liuyi", "abc", "ABC", "liuyiabc", "一abc", "lyabc", "ａｂｃ", NOT, "bc", "abcd"],
    "Ａｎｎａ Ｌｉ": ["anna", "Anna Li", "ANNALI", "li anna", "al", "ali", NOT, "nna", "i", "anna l x"],
    "Anna Maria Li": [
        "anna li",
        "li anna",
        "maria",
        "li maria anna",
        "Maria A",
        "aml",
        NOT,
        "ann ann",
        "ria",
        "anna li x",
    ],
    "Müller": ["muller", "mueller", "Müller", "mul", NOT, "uller", "mller"],
    "Émile O'Brien-Łukasz": [
        "emile",
        "obrien",
        "brien",
        "lukasz",
        "O’Brien",
        "emile lukasz",
        "eobl",
        NOT,
        "mile",
        "kasz",
    ],
    "WangMing": ["wangming", "ming", "wm", "mingwang", "wang ming", NOT, "ang", "gming"],
    "McDonald": ["mcdonald", "Mc Donald", "donald", NOT, "cdonald"],
    "Jürgen Großmann": ["jurgen", "juergen", "grossmann", "Großmann", "jg", NOT, "mann"],
    "42号": ["42", "42号", "４２", "号", "hao", "42h", NOT, "2号", "24"],
    "王芳（3人）": ["王芳", "wf3", "wangfang3ren", NOT, "33"],
    "王\U00031350": ["王\U00031350", "\U00031350", "wang", NOT, "王王", "\U00031351"],
    "葛\U000e0101优": ["葛优", "葛\U000e0101优", "geyou", NOT, "葛葛"],
    "김철수": ["김철수", "철수", "김", NOT, "kim", "수철"],
    "やまだ たろう": ["やまだ", "たろう", "たろうやまだ", NOT, "だや"],
    "Олег Иванов": ["олег", "ИВАНОВ", "иванов олег", "ои", NOT, "ванов", "oleg"],
    "مۇھەممەت": ["مۇھەممەت", "مۇھ", NOT, "ممەت", "m"],
    "😀": ["😀", NOT, "a", "😁"],
    "···": ["···", "·", NOT, "a", "-"],
    "": [NOT, "a", "周", "·", ""],
}
TABLE = [
    (name, sought, is_found)
    for name, said in CASES.items()
    for n, sought in enumerate(said)
    if sought is not None
    for is_found in [NOT not in said[:n]]
]


@pytest.mark.parametrize(("name", "sought", "is_found"), TABLE)
def test_a_name_is_found_by_what_people_type_for_it_and_by_nothing_else(name: str, sought: str, is_found: bool) -> None:
    assert matches(name, sought) is is_found


def test_the_table_is_long_and_says_no_often() -> None:
    assert len(TABLE) > 200
    assert sum(not is_found for _name, _sought, is_found in TABLE) > 70


@pytest.mark.parametrize("dot", DOTS)
def test_any_dot_stands_between_the_parts_of_a_name_or_none(dot: str) -> None:
    for written, sought in (("·", dot), (dot, "·"), ("", dot), (dot, ""), (dot, dot)):
        assert matches(f"买买提{written}艾合买提", f"买买提{sought}艾合买提"), (written, sought)
        assert matches(f"Anna{written or ' '}Li", f"li{sought}anna")


# Where families differ, each of their readings.
TABLE_OF_SURNAMES = """
曾 zeng  翟 zhai di  单 shan  仇 qiu  解 xie  查 zha  盖 ge  朴 piao  缪 miao  冼 xian sheng  区 ou  种 chong  秘 bi  黑 he hei
员 yun  贠 yun  乐 yue le  宿 su  洗 xian  尹 yin  逄 pang  郇 xun huan  郗 xi chi  呙 guo  谌 chen shen  郏 jia  郄 qie xi
宓 mi fu  亓 qi  覃 qin tan  葛 ge  纪 ji  华 hua  任 ren  燕 yan  过 guo  哈 ha  那 na  撒 sa  祭 zhai  繁 po  隗 wei kui
阚 kan  乜 nie  句 gou  都 du  卜 bu  佴 nai  召 shao  薄 bo  折 she  重 chong  干 gan  能 nai  粘 nian  肖 xiao  要 yao
於 yu  仉 zhang  贲 ben  费 fei bi  柏 bai bo  莘 shen xin  相 xiang  尉 wei yu
尉迟 yuchi  万俟 moqi  澹台 tantai  单于 chanyu  长孙 zhangsun  令狐 linghu  亓官 qiguan  皇甫 huangfu  乐正 yuezheng
宰父 zaifu  子车 ziju  夹谷 jiagu  鲜于 xianyu  拓跋 tuoba
"""
SURNAMES = TABLE_OF_SURNAMES.split()
READ = [
    (name, said)
    for n, name in enumerate(SURNAMES)
    if not name.isascii()
    for said in SURNAMES[n + 1 : next((m for m in range(n + 1, len(SURNAMES)) if not SURNAMES[m].isascii()), None)]
]


@pytest.mark.parametrize(("surname", "said"), READ)
def test_a_surname_is_found_as_its_family_says_it(surname: str, said: str) -> None:
    for sought in (said, f"{said}xiaoming", f"{said}xm", f"xiaoming{said}", f"xiaoming {said}"):
        assert matches(f"{surname}小明", sought), sought


def test_the_table_of_surnames_is_this_one() -> None:
    assert {name for name, _said in READ} <= {*name_readings.SURNAMES}
    assert len(name_readings.SURNAMES) > 60
    for name, characters in name_readings.SURNAMES.items():
        assert len(name) == len(characters), name
        assert all(reading[-1] in "1234" for readings in characters for reading in readings), name


def test_each_reading_of_a_surname_is_one_of_its_character() -> None:
    """By Unihan, as pypinyin has it. 黑, 谌, 贠 and 费 are said otherwise by their families, and 萬 is 万 there."""
    strange = {
        (character, reading)
        for name, characters in name_readings.SURNAMES.items()
        for character, readings in zip(name, characters, strict=True)
        for reading in readings
        if reading not in pinyin(character, style=Style.TONE3, heteronym=True)[0]
    }
    assert strange == {("谌", "shen4"), ("黑", "he4"), ("贠", "yun4"), ("费", "bi4"), ("萬", "mo4")}


# Characters of names, each with a reading.
HAN = st.sampled_from("周明李静王磊陈晨吕布单雄信翟天临欧阳尉迟万俟买提艾合热古丽重乐行朝都藏员黑那略女绿嗯阿奥二")
WORD = st.text("abcdefghijklmnopqrstuvwxyzéüöł", min_size=1, max_size=8).map(str.capitalize)
PARTS = st.lists(st.text(HAN, min_size=1, max_size=8) | WORD, min_size=1, max_size=4)


def said(parts: list[str], style: Style) -> str:
    return "".join(one[0] for part in parts for one in pinyin(part, style=style, errors=list))


@given(PARTS, st.sampled_from(DOTS), st.sampled_from(DOTS), st.data())
def test_every_name_is_found_by_itself_its_pinyin_and_its_initials(
    parts: list[str], written: str, typed: str, data: Any
) -> None:
    name = written.join(parts)
    assert matches(name, name)
    assert matches(name, typed.join(parts))
    assert matches(name, wide(name).upper())
    assert matches(wide(name), name.lower())
    assert matches(name, said(parts, Style.NORMAL))
    assert matches(name, said(parts, Style.TONE))
    assert matches(name, "".join(part[0] if part.isascii() else said([part], Style.FIRST_LETTER) for part in parts))
    assert all(matches(name, part) for part in parts)
    turn = data.draw(st.integers(0, len(parts)))
    assert matches(name, typed.join([*parts[turn:], *parts[:turn]]))
    assert not matches(name, name + "闫")


def wide(text: str) -> str:
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)


KEYS = st.lists(st.lists(st.text("ab", min_size=1, max_size=3), min_size=1, max_size=3).map(tuple), max_size=4)


@example([("aab", "a", "aa"), ("bba", "b", "a"), ("a", "bab", "aaa")], "aaaabb", {0, 1, 2})
@given(KEYS, st.text("ab", min_size=1, max_size=8), st.sets(st.integers(0, 3)))
def test_what_is_found_in_one_pass_is_what_is_found_by_trying_everything(
    keys: list[tuple[str, ...]], letters: str, begins: set[int]
) -> None:
    def tried(index: int, left: int, rest: str) -> bool:
        if not left or index >= len(twice):
            return False
        return any(
            key.startswith(rest) or (rest.startswith(key) and tried(index + 1, left - 1, rest[len(key) :]))
            for key in twice[index]
        )

    twice = keys * 2
    expected = any(tried(begin, len(keys), letters) for begin in begins if begin < len(twice))
    assert name_search._spell(twice, letters, begins, len(keys)) is expected


@given(st.text(max_size=40), st.text(max_size=100))
def test_any_text_is_compared_without_trouble(name: str, sought: str) -> None:
    matches(name, sought)
    assert fold(fold(name)) == fold(name)
    if name.strip():
        assert matches(name, name)


@pytest.mark.parametrize(
    ("name", "sought"),
    [("那", "n"), ("那", "na"), ("阿", "a"), ("和", "he"), ("a ", "a"), ("嗄", "as"), ("那 ", "n"), ("吕", "lu")],
)
def test_the_time_grows_with_the_length_and_not_faster(name: str, sought: str) -> None:
    """Steps are counted, not seconds. The last letter is wrong, so everything is tried."""
    steps(name, sought * 10 + "x")  # what is made only once
    few, more, many = (steps(name * n, sought * 10 + "x") for n in (40, 80, 160))
    assert many - more < 2.2 * (more - few)
    few, more, many = (steps(name * 160, sought * n + "x") for n in (10, 20, 40))
    assert many - more < 2.2 * (more - few)


def steps(name: str, sought: str) -> int:
    """How many functions are called to find out that this is not the name."""
    count = 0

    def see(_frame: object, event: str, _argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(see)
    try:
        assert not matches(name, sought)
    finally:
        sys.setprofile(before)
    return count
