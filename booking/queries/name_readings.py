"""Name readings: the pinyin of characters, and of the surnames that are read otherwise than their characters."""

import os
from functools import lru_cache

# The common reading, and one more. Those that follow are of old books: with them, wang would find everybody called 方.
USUAL = 2
# The main reading is first, for sorting; a search accepts the others too, as each family says its own. A test compares them
# with pypinyin's readings of the characters.
_SINGLE = """
卜 bu3  薄 bo2  种 chong2  重 chong2  谌 chen2/shen4  郗 xi1/chi1  单 shan4/dan1  都 du1  翟 zhai2/di2  盖 ge3/gai4
葛 ge3  干 gan1  句 gou1  过 guo1  呙 guo1  哈 ha3  黑 he4/hei1  华 hua4  郇 xun2/huan2  纪 ji3  郏 jia2  解 xie4
阚 kan4  隗 wei3/kui2  乐 yue4/le4  缪 miao4/mou2/miu4  宓 mi4/fu2  秘 bi4  那 na1  能 nai4  佴 nai4  乜 nie4  粘 nian2
区 ou1  逄 pang2  朴 piao2  繁 po2  亓 qi2  郄 qie4/xi4  覃 qin2/tan2  仇 qiu2  任 ren2  撒 sa3  召 shao4  折 she2
莘 shen1/xin1  宿 su4  冼 xian3/sheng3  洗 xian3  相 xiang4  肖 xiao1  燕 yan1  要 yao1  尹 yin3  员 yun4  贠 yun4
於 yu1  曾 zeng1  查 zha1/cha2  祭 zhai4  仉 zhang3  尉 wei4/yu4  贲 ben1  费 fei4/bi4  柏 bai3/bo2  宁 ning2  曲 qu1
單 shan4  區 ou1  繆 miao4/mou2/miu4  蓋 ge3  紀 ji3  華 hua4  樂 yue4  過 guo1  員 yun4  闞 kan4  費 fei4/bi4  祕 bi4
"""
_COMPOUND = """
万俟 mo4,qi2  尉迟 yu4,chi2  单于 chan2,yu2  长孙 zhang3,sun1  澹台 tan2,tai2  令狐 ling2,hu2  亓官 qi2,guan1
皇甫 huang2,fu3  乐正 yue4,zheng4  宰父 zai3,fu3  子车 zi3,ju1  夹谷 jia2,gu3  鲜于 xian1,yu2  拓跋 tuo4,ba2
萬俟 mo4,qi2  尉遲 yu4,chi2  單于 chan2,yu2  長孫 zhang3,sun1  澹臺 tan2,tai2  樂正 yue4,zheng4  鮮于 xian1,yu2
"""
# Other surnames of two characters.
_TWO = """
欧阳 司马 上官 诸葛 夏侯 东方 赫连 公孙 慕容 宇文 司徒 轩辕 钟离 闾丘 淳于 申屠 太叔 濮阳 呼延 端木 南宫 西门 东郭 独孤
百里 颛孙 公羊 公冶 宗政 仲孙 司空 司寇 巫马 公西 漆雕 壤驷 公良 谷梁 穀梁 段干 南门 羊舌 梁丘 左丘 东门 第五 闻人 纳兰
歐陽 司馬 諸葛 東方 赫連 公孫 軒轅 鍾離 閭丘 濮陽 呼延 端木 南宮 西門 東郭 獨孤 顓孫 仲孫 納蘭 聞人
"""


def _pairs(table: str) -> dict[str, str]:
    entries = table.split()
    return dict(zip(entries[::2], entries[1::2], strict=True))


# For each surname, for each of its characters, the readings with their tones.
SURNAMES = {name: [said.split("/")] for name, said in _pairs(_SINGLE).items()}
SURNAMES |= {name: [[one] for one in said.split(",")] for name, said in _pairs(_COMPOUND).items()}
TWO_CHARACTERS = {*_TWO.split(), *_pairs(_COMPOUND)}

# The same for each character, without tones.
_OF_SURNAMES: dict[str, list[str]] = {}
for _name, _said in SURNAMES.items():
    for _character, _readings in zip(_name, _said, strict=True):
        _OF_SURNAMES.setdefault(_character, []).extend(reading[:-1] for reading in _readings)


@lru_cache(maxsize=20_000)
def reading(character: str) -> str:
    """The most common reading of a Chinese character, with its tone: wang2. Empty for any other character."""
    found = _pinyin(character, "TONE3")
    return found[0][0] if found else ""


@lru_cache(maxsize=20_000)
def readings(character: str) -> tuple[str, ...]:
    """The readings of a Chinese character, as a surname too, without tones: lü. None for any other character."""
    found = [reading.replace("v", "ü") for said in _pinyin(character, "NORMAL", heteronym=True) for reading in said]
    usual = [*dict.fromkeys(filter(None, found))][:USUAL]
    return tuple(dict.fromkeys(usual + _OF_SURNAMES.get(character, [])))


def _pinyin(text: str, style: str, *, heteronym: bool = False) -> list[list[str]]:
    # The table of readings is loaded only where names are searched; the one of phrases, four times as large, is not
    # needed.
    os.environ.setdefault("PYPINYIN_NO_PHRASES", "true")
    from pypinyin import Style, pinyin  # noqa: PLC0415

    return pinyin(text, style=getattr(Style, style), heteronym=heteronym, errors="ignore")
