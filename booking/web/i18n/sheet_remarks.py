"""Remarks on a sheet: what is said about it before it is imported."""

from collections.abc import Iterable

from flask_babel import gettext
from flask_babel import lazy_gettext as _

from booking.spreadsheets import Remark


def sentence(remark: Remark) -> str:
    return str(SENTENCES[remark.code] % remark.details)


def sentences(remarks: Iterable[Remark]) -> list[str]:
    """Each once, with the row where it is about one."""
    found = []
    for remark in remarks:
        text = sentence(remark)
        found.append(gettext("第 %(row)s 行：%(text)s", row=remark.row, text=text) if remark.row else text)
    return list(dict.fromkeys(found))


# By the code of the remark.
SENTENCES = {
    "other_sheet": _("工作表“%(sheet)s”里有 %(n)s 行没有读，只读了“%(chosen)s”。"),
    "hidden_sheet": _("读的是隐藏的工作表“%(sheet)s”。"),
    "partly_known": _("从这种格式里看不出哪些行是隐藏的、哪些格是公式的错误，请核对；另存为 .xlsx 就看得出。"),
    "above_heads": _("表头上面的这一行没有读：%(text)s"),
    "total_row": _("合计的这一行没有读：%(text)s"),
    "heads_again": _("这一行又是表头，没有读。"),
    "note_row": _("表格下面的这一行没有读：%(text)s"),
    "unknown_column": _("%(column)s 列“%(head)s”用不上，没有读。"),
    "column_without_head": _("%(column)s 列没有表头，没有读。"),
    "hidden_column": _("%(column)s 列“%(head)s”是隐藏的，照样读了。"),
    "hidden_rows": _("隐藏的行没有读：%(rows)s。要导入的话，先取消隐藏。"),
    "merged_rows": _("合并的单元格（第 %(rows)s 行）：每一行都用“%(text)s”。"),
    "merged_columns": _("合并的单元格（第 %(rows)s 行）横跨几列：“%(text)s”只算在最左上的一格。"),
    "next_such_day": _("“%(typed)s”没有写年份，读作 %(date)s。"),
    "weekends_off": _("周末默认不开，只有调休上班的周末才开。周末也要开的话，“休息日也开”写“是”。"),
}
