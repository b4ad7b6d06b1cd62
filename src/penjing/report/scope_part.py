"""The report's block on texts that are out of scope: how many test rows, and how many of named sets from outside."""

from __future__ import annotations

from penjing.measure.evaluate import Interval
from penjing.prove.scope import Outside, ScopeTest
from penjing.report.contract import Block
from penjing.report.phrases import with_interval

COLUMNS = ("scope set", "texts", "scope out", "scope auroc", "scope false")
TEST = "test rows"


def scope_blocks(found: ScopeTest | None, rows: int) -> tuple[Block, ...]:
    """The block of a release with a scope, else nothing. rows: number of test rows."""
    if found is None:
        return ()
    table = [(TEST, float(rows), _percent(found.rejected), "–", "–"), *(_row(each) for each in found.outside)]
    asked, more = f"{100 * found.asked:.3g}", "" if found.outside else _NONE["en"]
    few = "" if found.outside else _NONE["zh"]
    note = {
        "en": "A text that is unlike the train rows goes to a person, unless a rule decides it. The "
        f"limit is set on {found.rows:,} validation rows, so that of texts like them at most {asked} % are expected "
        "beyond it. In brackets: 95 % intervals. AUROC: how often a text of the set is further from the train rows "
        "than a test row. Last column: test rows that would go to a person if 95 % of the set had to be found."
        f"{more}",
        "zh": "与训练文本不相像的文本转人工，除非有规则作出决定。"
        f"界限由 {found.rows:,} 行验证数据定出，使与它们相像的文本预计至多有 {asked}% 在界限之外。括号内为 95% 区间。"
        "AUROC：集合中的文本比测试行离训练文本更远的比例。"
        f"最后一列：要找出集合中 95% 的文本，会有多少测试行也转人工。{few}",
    }
    title = {"en": "Which texts are out of scope?", "zh": "哪些文本超出范围？"}
    block = {"name": "scope", "kind": "table", "title": title, "columns": COLUMNS, "rows": table, "note": note}
    return (Block.model_validate(block),)


_NONE = {
    "en": " How many texts from outside are found is not known: name files of them in the recipe (data: out_of_scope).",
    "zh": " 范围之外的文本能找出多少，尚不知道：请在配方的 data: out_of_scope 下给出这类文本的文件。",
}


def _row(each: Outside) -> tuple[str, float, str, str, str]:
    auroc = each.auroc
    curve = f"{auroc.value:.3f} ({auroc.low:.3f} – {auroc.high:.3f})"
    return each.name, float(each.texts), _percent(each.recall), curve, _percent(each.false_positives)


def _percent(found: Interval) -> str:
    return with_interval(found.value, found.low, found.high)
