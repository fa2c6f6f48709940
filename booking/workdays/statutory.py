"""Statutory holidays: the days off by law, whatever is announced.

Since November 2024 these are 元旦, 除夕 and the first three days of 春节, 清明, 1 and 2 May, 端午, 中秋 and 1 to 3
October.
"""

from collections.abc import Mapping
from datetime import date
from functools import lru_cache

# The library's names, and ours. Others in it are exchanged days or estimates, and not the law's.
NAMES = {
    "元旦": "元旦",
    "农历除夕": "春节",
    "春节": "春节",
    "清明节": "清明节",
    "劳动节": "劳动节",
    "端午节": "端午节",
    "国庆节": "国庆节",
    "中秋节": "中秋节",
}


@lru_cache(16)
def days_off(year: int) -> Mapping[date, str]:
    """The statutory holidays of a year by name; where two fall on one day the longer one names it."""
    import holidays  # noqa: PLC0415 - 20 MB that a web process never needs

    found = holidays.country_holidays("CN", years=year, observed=False, language="zh_CN")
    named = {when: set(found.get_list(when)) for when in sorted(found)}
    return {
        when: next(ours for theirs, ours in NAMES.items() if theirs in names)
        for when, names in named.items()
        if names & NAMES.keys()
    }
