"""Builds the pages of docs/ into a static site in two languages, without a network: `make site`.

Each language's pages are copied into a folder of their own, with LOG.md, the architecture and the bench pages, which
exist once. Links are rewritten to the copies; a link to another file of the repository becomes a download.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path

SITE = Path(__file__).resolve().parent
DOCS = SITE.parent
ROOT = DOCS.parent
LANGUAGES = {"en": DOCS, "zh": DOCS / "zh"}
# Pages that exist once and are part of both languages.
SHARED = (ROOT / "LOG.md", DOCS / "ARCHITECTURE.md", *sorted((DOCS / "bench").glob("*.md")))
LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s]+)\)")
# The theme's own switch replaces the link to the other language.
TWIN = re.compile(r"\s*\[(?:中文|English)\]\([^)]*\.md\)")
HEADING = re.compile(r"^## (.+)$", re.MULTILINE)
# A browser shows a line break as a blank, which Chinese does not have.
BREAK = re.compile(r"(?<=[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef])\n *(?=[\u4e00-\u9fff\uff08\u201c])")
FENCE = re.compile(r"(^```.*?^```$)", re.DOTALL | re.MULTILINE)
# What a browser would load from elsewhere: no page may have it. A link that a person follows is none.
OUTSIDE = re.compile(
    r"<(?:script|img|iframe|source|video|audio|embed)\b[^>]*\bsrc=[\"'](?:https?:)?//"
    r"|<link\b(?=[^>]*\brel=[\"'](?:stylesheet|preload|prefetch|preconnect|icon|manifest))[^>]*\bhref=[\"'](?:https?:)?//"
    r"|@import\s+(?:url\()?[\"']?(?:https?:)?//|url\([\"']?(?:https?:)?//",
    re.IGNORECASE,
)
START = """<!doctype html>
<meta charset="utf-8">
<title>Penjing 盆景</title>
<script>location.replace((navigator.language || "en").startsWith("zh") ? "zh/index.html" : "en/index.html")</script>
<p><a href="en/index.html">English</a> · <a href="zh/index.html">中文</a></p>
"""


def pages_of(language: str) -> dict[Path, Path]:
    """The pages of a language: each source and its place in the site."""
    own = {path: Path(path.name) for path in sorted(LANGUAGES[language].glob("*.md")) if path not in SHARED}
    return own | {path: path.relative_to(DOCS) if path.is_relative_to(DOCS) else Path(path.name) for path in SHARED}


def stage(language: str, folder: Path) -> None:
    """Copy a language's pages into a folder, with links that lead to the copies.

    Raises:
        SystemExit: a link leads nowhere.
    """
    pages = pages_of(language)
    for source, place in pages.items():
        text = TWIN.sub("", source.read_text(encoding="utf-8"))
        text = LINK.sub(partial(relink, source=source, place=place, pages=pages, folder=folder), text)
        text = "".join(part if part.startswith("```") else BREAK.sub("", part) for part in FENCE.split(text))
        # Pygments has no lexer for CSV.
        text = text.replace("```csv\n", "```text\n")
        if place == Path("index.md"):
            text += contents(text)
        target = folder / place
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")


def relink(found: re.Match[str], source: Path, place: Path, pages: dict[Path, Path], folder: Path) -> str:
    """A link as it must be in the copy."""
    mark, label, link = found.groups()
    path, _, anchor = link.partition("#")
    if "://" in link or not path:
        return found[0]
    target = (source.parent / path).resolve()
    if not target.exists():
        raise SystemExit(f"{source.relative_to(ROOT)}: the link {link} leads nowhere")
    # A shared page links to an English page: the copy leads to its twin, where the anchor has another name.
    twin = next((page for page in pages if page.name == target.name and target.suffix == ".md"), None)
    if target not in pages and twin:
        target, anchor = twin, ""
    if target in pages:
        return f"{mark}[{label}]({up(place)}{pages[target].as_posix()}{'#' if anchor else ''}{anchor})"
    if target.is_dir():
        return label
    copy = Path("files") / target.relative_to(ROOT)
    (folder / copy).parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(target, folder / copy)
    return f"{mark}[{label}]({up(place)}{copy.as_posix()})"


def up(place: Path) -> str:
    """From a page to the root of the site."""
    return "../" * (len(place.parts) - 1)


def contents(index: str) -> str:
    """The side bar's contents: a part for each heading of the contents page, with the pages that it links to."""
    parts = HEADING.split(index)[1:]
    lines = []
    for title, text in zip(parts[::2], parts[1::2], strict=True):
        pages = [f"{label} <{link[:-3]}>" for _, label, link in LINK.findall(text) if link.endswith(".md")]
        lines += ["", "```{toctree}", ":hidden:", f":caption: {title}", "", *pages, "```"]
    return "\n".join([*lines, ""])


def build(language: str, staged: Path, out: Path) -> None:
    """One language's pages; a warning is an error."""
    shutil.copyfile(SITE / "conf.py", staged / "conf.py")
    shutil.copytree(SITE / "templates", staged / "templates")
    command = [sys.executable, "-m", "sphinx", "-b", "html", "-W", "--keep-going", "-q", "-E"]
    command += ["-d", str(staged / ".doctrees"), str(staged), str(out)]
    done = subprocess.run(command, env=os.environ | {"PENJING_SITE_LANGUAGE": language}, check=False)
    if done.returncode:
        raise SystemExit(done.returncode)


def outside(folder: Path) -> list[str]:
    """What the built pages would load from another host, a line each: `file: what`."""
    found = []
    for path in sorted(folder.rglob("*")):
        if path.suffix in {".html", ".css"}:
            text = path.read_text(encoding="utf-8")
            found += [f"{path.relative_to(folder)}: {match[0]}" for match in OUTSIDE.finditer(text)]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "site")
    arguments = parser.parse_args()
    out: Path = arguments.out.resolve()
    sources = out.with_name(f"{out.name}-source")
    for folder in (out, sources):
        shutil.rmtree(folder, ignore_errors=True)
    for language in LANGUAGES:
        stage(language, sources / language)
        build(language, sources / language, out / language)
    (out / "index.html").write_text(START, encoding="utf-8")
    if found := outside(out):
        raise SystemExit("\n".join(["the site would load from elsewhere:", *found]))
    sys.stdout.write(f"{out / 'index.html'}\n")


if __name__ == "__main__":
    main()
