"""The samples of the rules pages are rules files that load, and every reason is explained there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from penjing.decide.examine import load_rules
from penjing.decide.policy import REASONS
from penjing.decide.schema import FactSchema

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize(("page", "labels"), [("rules.md", ("other", "refund")), ("zh/rules.md", ("其他", "退款"))])
def test_the_sample_loads_and_every_reason_is_told(tmp_path: Path, page: str, labels: tuple[str, ...]) -> None:
    text = (DOCS / page).read_text(encoding="utf-8")
    sample = re.search(r"```csv\n(.*?)```", text, re.DOTALL)
    assert sample is not None
    (tmp_path / "rules.csv").write_text(sample[1], encoding="utf-8")
    schema = FactSchema(labels, {"amount": "float", "channel": ("app", "web", "phone")})
    assert len(load_rules(tmp_path / "rules.csv", schema).rules) == 5
    assert set(re.findall(r"^\| `(\w+)` \| (?:automatic|review|自动|人工) \|", text, re.MULTILINE)) == set(REASONS)
