"""The site: every page is reached, links lead to the copies, and nothing is loaded from elsewhere."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[1]
SITE = ROOT / "docs" / "site"


@pytest.fixture(scope="module")
def site() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_site", SITE / "build.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("language", ["en", "zh"])
def test_both_languages_have_the_same_pages_and_all_are_in_the_contents(
    site: ModuleType, language: str, tmp_path: Path
) -> None:
    site.stage(language, tmp_path)
    places = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.md")}
    assert places == {place.as_posix() for place in site.pages_of("en").values()}
    listed = re.findall(r"^.+ <(.+)>$", (tmp_path / "index.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert {f"{page}.md" for page in listed} == places - {"index.md"}
    assert len(listed) == len(set(listed))


@pytest.mark.parametrize("language", ["en", "zh"])
def test_links_of_the_copies_lead_somewhere(site: ModuleType, language: str, tmp_path: Path) -> None:
    site.stage(language, tmp_path)
    for path in tmp_path.rglob("*.md"):
        for _, _, link in site.LINK.findall(path.read_text(encoding="utf-8")):
            if "://" not in link and not link.startswith("#"):
                target = (path.parent / link.partition("#")[0]).resolve()
                assert target.is_file() and target.is_relative_to(tmp_path), f"{path.name}: {link}"


def test_a_link_to_nothing_is_refused(site: ModuleType, tmp_path: Path) -> None:
    found = site.LINK.search("see [this](none.md)")
    with pytest.raises(SystemExit, match="leads nowhere"):
        site.relink(found, ROOT / "docs" / "index.md", Path("index.md"), {}, tmp_path)


def test_chinese_lines_are_joined_without_a_blank_but_not_in_code(site: ModuleType, tmp_path: Path) -> None:
    assert site.BREAK.sub("", "结论把数字\n与界限相比\n- 一项\n  继续") == "结论把数字与界限相比\n- 一项继续"
    site.stage("zh", tmp_path)
    code = "".join(site.FENCE.findall((ROOT / "docs" / "zh" / "start.md").read_text(encoding="utf-8")))
    copied = "".join(site.FENCE.findall((tmp_path / "start.md").read_text(encoding="utf-8")))
    assert copied == code.replace("```csv\n", "```text\n")


@pytest.mark.parametrize(
    ("text", "bad"),
    [
        ('<script src="https://cdn.example/x.js">', True),
        ('<link rel="stylesheet" href="//fonts.example/css">', True),
        ('<link href="https://fonts.example/css" rel="stylesheet">', True),
        ("body { background: url('https://example/x.png') }", True),
        ("@import 'https://fonts.example/css';", True),
        ('<a href="https://www.example.org/">a link that a person follows</a>', False),
        ('<script src="_static/x.js">', False),
        ('<svg xmlns="http://www.w3.org/2000/svg">', False),
    ],
)
def test_what_a_browser_would_load_from_elsewhere_is_found(
    site: ModuleType, text: str, bad: bool, tmp_path: Path
) -> None:
    (tmp_path / "page.html").write_text(text, encoding="utf-8")
    assert bool(site.outside(tmp_path)) is bad


@pytest.mark.slow
def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    pytest.importorskip("sphinx", reason="`make site` installs it")
    command = [sys.executable, str(SITE / "build.py"), "--out", str(tmp_path / "site")]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    for language in ("en", "zh"):
        assert (tmp_path / "site" / language / "measured.html").is_file()
        assert "EnglishStemmer" in (tmp_path / "site" / language / "_static" / "language_data.js").read_text()
