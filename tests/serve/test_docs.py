"""docs/service.md, in both languages, names what there is, and its examples run."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from penjing.serve.settings import Settings
from penjing.store.database import open_store

ROOT = Path(__file__).parents[2]
PAGES = (ROOT / "docs" / "service.md", ROOT / "docs" / "zh" / "service.md")
SERVE = ROOT / "src" / "penjing" / "serve"


def _blocks(page: Path, kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.parent.name)
def test_everything_is_named(page: Path, served) -> None:
    text = page.read_text(encoding="utf-8")
    for path in served.ask("GET", "/openapi.json").json()["paths"]:
        assert path.replace("{identity}", "{id}") in text, path
    for line in served.ask("GET", "/metrics").text.splitlines():
        found = re.match(r"# TYPE (penjing_\w+) (counter|gauge|histogram)", line)
        if found and not found[1].endswith("_created"):
            assert f"`{found[1]}`" in text, line
    for name, field in Settings.model_fields.items():
        assert f"`PENJING_{name.upper()}` | `{field.default}`" in text, name
    source = "\n".join(file.read_text(encoding="utf-8") for file in sorted(SERVE.glob("*.py")))
    codes = re.findall(r'AnswerError\(\s*\d+,\s*"(\w+)"', source) + re.findall(
        r'(?:refuse|_refuse|Refusal)\(\d+, "(\w+)"', source
    )
    assert len(codes) > 15
    for code in [*codes, "not_found", "method", "internal", "store", "damage"]:
        assert f"`{code}`" in text, code


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.parent.name)
def test_the_examples_run(page: Path, served, tmp_path: Path) -> None:
    for block in _blocks(page, "json"):
        json.loads(block)
    for block in _blocks(page, "python"):
        open_store(f"sqlite:///{tmp_path / 'penjing.db'}").close()
        subprocess.run([sys.executable, "-c", block], cwd=tmp_path, check=True, capture_output=True)
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    blocks = _blocks(page, "bash")
    assert len(blocks) == 2
    for block in blocks:
        command = block.replace("http://127.0.0.1:8000", served.url)
        env = {**os.environ, "KEY": served.keys["decide"], "no_proxy": "*"}
        answer = json.loads(subprocess.run(["bash", "-c", command], env=env, check=True, capture_output=True).stdout)
        items = answer.get("items", [answer])
        assert all(item["id"] and item["route"] in {"automatic", "review"} for item in items), answer
