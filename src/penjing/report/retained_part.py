"""The report's block on what a release still knows of the earlier one that it goes on from."""

from __future__ import annotations

from penjing.prove.retained import EARLIER, Retained
from penjing.report.contract import LOST, Block
from penjing.report.phrases import with_interval

_TITLE = {"en": "What was forgotten?", "zh": "忘掉了什么？"}
_COLUMNS = ("release", "rows", "right answers")
_LOST_COLUMNS = ("case", "label", "this release says")
_NO_ROWS = {
    "en": " Without the earlier recipe (continues: recipe) there are no earlier test rows to compare on.",
    "zh": "没有给出先前的配方（continues: recipe），因此没有先前的测试数据可比。",
}


def retained_blocks(found: Retained | None) -> tuple[Block, ...]:
    """The matrix, and the cases that were lost; nothing of a release that goes on from none."""
    if found is None:
        return ()
    more = {"en": "", "zh": ""} if any(rows == EARLIER for _, rows, _ in found.matrix) else _NO_ROWS
    lost = len(found.lost)
    note = {
        "en": f"Of the {found.cases} cases of the earlier regression suite, which the earlier release answered "
        f"rightly, this release answers {lost} wrongly. The table: the share of right answers of each release on the "
        f"test rows of each, with 95 % intervals; no release was trained on them.{more['en']}",
        "zh": f"先前发布包的回归案例共 {found.cases} 个，先前的发布包都答对了；本发布包答错其中 {lost} 个。"
        f"下表是两个发布包在双方测试数据上的正确率，附 95% 区间；两者都没有用这些数据训练过。{more['zh']}",
    }
    rows = tuple(
        (release, rows, with_interval(each.value, each.low, each.high)) for release, rows, each in found.matrix
    )
    blocks = [Block(name="retained", kind="table", title=_TITLE, columns=_COLUMNS, rows=rows, note=note)]
    if found.examples:
        title = {"en": "Cases that were lost", "zh": "不再答对的案例"}
        blocks.append(Block(name=LOST, kind="table", title=title, columns=_LOST_COLUMNS, rows=found.examples))
    return tuple(blocks)
