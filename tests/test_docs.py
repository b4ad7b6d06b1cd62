"""The docs fail the build: generated parts are compared, samples validate and run, commands and files are named."""

from __future__ import annotations

import csv
import importlib.util
import json
import random
import re
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import typer.main
from _pytest.mark import ParameterSet

from penjing.core import errors
from penjing.core.grow_recipe import load_grow_recipe
from penjing.core.nouns import Release
from penjing.core.recipe import load_recipe
from penjing.data.audit import rows_that_certify
from penjing.decide.examine import load_rules
from penjing.decide.schema import FactSchema

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("README*.md"), *DOCS.rglob("*.md")])
READMES = sorted(ROOT.glob("README*.md"))
STARTS = [DOCS / "start.md", DOCS / "zh" / "start.md"]
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\[[^\]]+\]\(([^)#]+)(#[^)]*)?\)")


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_generate", DOCS / "generate.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def blocks(language: str) -> list[ParameterSet]:
    """(page, block) of every fenced block in a language; ids tell the page and the block's number."""
    found: list[ParameterSet] = []
    for path in PAGES:
        inside = [text for kind, text in FENCE.findall(path.read_text(encoding="utf-8")) if kind == language]
        found += [pytest.param(path, text, id=f"{name(path)}-{i}") for i, text in enumerate(inside)]
    return found


@pytest.mark.parametrize("path", generator().pages(), ids=name)
def test_generated_parts_are_up_to_date(path: Path) -> None:
    assert generator().fill(path) == path.read_text(encoding="utf-8"), (
        f"{name(path)} is behind the code: run `.venv/bin/python docs/generate.py`"
    )


def test_every_description_has_its_chinese(monkeypatch: pytest.MonkeyPatch) -> None:
    module = generator()
    known = json.loads((DOCS / "zh" / "sentences.json").read_text(encoding="utf-8"))
    asked: set[str] = set()
    monkeypatch.setattr(module, "translate", lambda sentence, _language: asked.add(sentence) or sentence)
    for part in ("keys", "methods", "copies", "grow-keys", "objectives", "exit-codes"):
        module.PARTS[part]("zh")
    missing = sorted(sentence for sentence in asked - {""} if sentence not in known)
    assert not missing, f"docs/zh/sentences.json lacks: {missing}"
    assert not sorted(set(known) - asked), "docs/zh/sentences.json has sentences that no page uses"


def test_every_file_says_what_it_is_for_in_one_line() -> None:
    told = (DOCS / "ARCHITECTURE.md").read_text(encoding="utf-8")
    for path in sorted((ROOT / "src" / "penjing").rglob("*.py")):
        relative = path.relative_to(ROOT / "src" / "penjing").as_posix()
        if path.name == "__init__.py" and not path.read_text(encoding="utf-8").strip():
            continue
        if "versions" in path.parts:
            continue
        assert f"- `{relative}` – " in told, f"{relative} has no docstring, or docs/generate.py was not run"


@pytest.mark.parametrize("path", [DOCS / "cli.md", DOCS / "zh" / "cli.md"], ids=name)
def test_every_command_and_exit_code_is_documented(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for command in commands():
        assert command in text, f"`{command}` is not in {name(path)}"
    codes = {error.exit_code for error in vars(errors).values() if hasattr(error, "exit_code")}
    for code in codes:
        assert f"| {code} |" in text


def commands() -> dict[str, Any]:
    """Every command by its words."""
    from penjing.cli.main import app

    found: dict[str, Any] = {}

    def walk(command: Any, words: str) -> None:
        inner = getattr(command, "commands", None)
        if inner is None:
            found[words] = command
        else:
            for each in inner:
                walk(inner[each], f"{words} {each}")

    walk(typer.main.get_command(app), "penjing")
    return found


@pytest.mark.parametrize(("path", "text"), blocks("bash"))
def test_commands_in_bash_blocks_exist(path: Path, text: str) -> None:
    known = commands()
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    for line in text.replace("\\\n", " ").splitlines():
        if not line.startswith(("penjing ", "make ")):
            continue
        words = shlex.split(line, comments=True)
        if words[0] == "make":
            assert words[1] in targets, line
            continue
        group = " ".join(words[:3]) in known
        command = known.get(" ".join(words[:3] if group else words[:2]))
        assert command is not None, f"{name(path)}: no such command: {line}"
        # Parses arguments and options, and runs nothing.
        command.make_context(words[1], words[3 if group else 2 :])


@pytest.mark.parametrize("text", [pytest.param(*each.values[1:], id=each.id) for each in blocks("yaml")])
def test_recipes_are_valid(text: str, tmp_path: Path) -> None:
    from penjing.make.grow import read_steps
    from penjing.make.plan import build_plan

    (tmp_path / "recipe.yaml").write_text(text, encoding="utf-8")
    if re.search(r"^corpus:", text, re.MULTILINE):
        assert read_steps(load_grow_recipe(tmp_path / "recipe.yaml"))
    else:
        assert build_plan(load_recipe(tmp_path / "recipe.yaml"))


@pytest.mark.parametrize("path", READMES, ids=name)
def test_the_readme_is_read_in_a_minute(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    words = len(re.findall(r"[^\W一-鿿]+", text)) + len(re.findall(r"[一-鿿]", text)) / 2
    assert words <= 650
    assert len(re.sub(r"\]\([^)]*\)", "", text).split()) <= 500
    for cell in re.findall(r"(?<=\|)[^|\n]+(?=\|)", text):
        assert len(cell.split()) <= 12, cell


@pytest.mark.parametrize("path", READMES, ids=name)
def test_figures_of_the_readme_are_those_of_the_page_of_figures(path: Path) -> None:
    page = (DOCS / ("zh" if ".zh." in path.name else "") / "measured.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (.+) \| (.+) \|$", path.read_text(encoding="utf-8"), re.MULTILINE)[1:]
    assert len(rows) == 5
    known = set(re.findall(r"\d[\d,.]*\d|\d", page))
    for cells in rows:
        for figure in re.findall(r"\d[\d,.]*\d|\d", " ".join(cells)):
            assert figure in known, f"{path.name}: {figure} is not in {page[:40]!r}"


@pytest.mark.parametrize("path", STARTS, ids=name)
def test_rules_of_the_first_page_are_valid(path: Path, tmp_path: Path) -> None:
    found = dict(FENCE.findall(path.read_text(encoding="utf-8")))
    (tmp_path / "recipe.yaml").write_text(found["yaml"], encoding="utf-8")
    fields = load_recipe(tmp_path / "recipe.yaml").recipe.data.fields
    labels = ("complaint", "praise", "question") if path == STARTS[0] else ("投诉", "表扬", "咨询")
    (tmp_path / "rules.csv").write_text(found["csv"], encoding="utf-8")
    schema = FactSchema(labels, {key: kind if isinstance(kind, str) else tuple(kind) for key, kind in fields.items()})
    assert len(load_rules(tmp_path / "rules.csv", schema).rules) == 3


@pytest.mark.parametrize(("path", "text"), blocks("python"))
def test_python_blocks_run(
    path: Path,
    text: str,
    tiny_release: Release,
    penjing: Callable[..., Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if "open_corpus(" in text:
        (tmp_path / "laws").mkdir()
        articles = (f"Article {number}: the parties settle dispute {number} of the lease." for number in range(9))
        (tmp_path / "laws" / "lease.txt").write_text("\n\n".join(articles), encoding="utf-8")
        assert penjing("corpus", "build", "laws", "法规=laws", "--out", "corpus").code == 0
    shutil.copytree(tiny_release.folder, tmp_path / "my-service" / "out" / "release")
    monkeypatch.chdir(tmp_path)
    exec(compile(text, name(path), "exec"), {"__name__": "docs"})


@pytest.mark.slow
@pytest.mark.usefixtures("short_times")
@pytest.mark.parametrize("path", [STARTS[0], pytest.param(STARTS[1], marks=pytest.mark.whole)], ids=name)
def test_the_tour_of_the_first_page_runs(path: Path, penjing: Callable[..., Any], tmp_path: Path) -> None:
    tour = next(text for kind, text in FENCE.findall(path.read_text(encoding="utf-8")) if "penjing init" in text)
    write_rows(tmp_path / "my.csv", 900)
    write_rows(tmp_path / "new.csv", 20)
    ran = []
    for line in tour.strip().splitlines():
        words = shlex.split(line, comments=True)
        if words[1] == "serve":
            continue
        done = penjing(*words[1:])
        assert done.code == 0, f"{line}\n{done.out}{done.err}"
        ran.append(words[1])
        recipe = tmp_path / "my-service" / "recipe.yaml"
        if words[1] == "init":
            # The linear method takes a second where the fine-tuning of the recipe takes minutes.
            text, linear = re.subn(r"tune\.full: {.*?}", "tune.linear: {}", recipe.read_text(encoding="utf-8"))
            text, smaller = re.subn(r".*compress\.int8.*\n", "", text)
            assert (linear, smaller) == (1, 1)
            recipe.write_text(text.replace("unproven: refuse", "unproven: allow"), encoding="utf-8")
    assert ran == ["init", "check", "make", "decide", "replay"]
    assert (tmp_path / "my-service" / "out" / "report.html").is_file()


@pytest.mark.whole
def test_the_way_from_raw_text_to_a_base_runs(penjing: Callable[..., Any], tmp_path: Path) -> None:
    """The commands and both recipes of the page, on a folder of text files, with few tokens, the same in Chinese."""
    from penjing.model.base import open_base

    found = FENCE.findall((DOCS / "pretraining.md").read_text(encoding="utf-8"))
    chinese = FENCE.findall((DOCS / "zh" / "pretraining.md").read_text(encoding="utf-8"))
    assert [each for each in found if each[0] in ("bash", "yaml")] == [
        each for each in chinese if each[0] in ("bash", "yaml")
    ]
    (tmp_path / "texts").mkdir()
    for number in range(40):
        drawn = random.Random(number)
        words = ["客户", "订单", "退款", "快递", "电话", "银行", "今天", "希望", "处理", "已经", "没有", "收到"]
        lines = ["".join(drawn.choices(words, k=12)) + f"，编号{number}。" for _ in range(6)]
        (tmp_path / "texts" / f"{number}.txt").write_text("\n\n".join(lines), encoding="utf-8")
    commands = next(text for kind, text in found if kind == "bash").strip().splitlines()
    assert penjing(*shlex.split(commands[0])[1:]).code == 0
    shutil.copytree(tmp_path / "corpus", tmp_path / "more-texts")
    for number, text in enumerate(text for kind, text in found if kind == "yaml"):
        text = re.sub(r"\btokens: [0-9_]+", "tokens: 600, positions: 16", text)
        text = text.replace("      length: 64", "      length: 64\n      tokens: 600\n      positions: 16")
        text = re.sub(r"batch_tokens: [0-9_]+", "batch_tokens: 256", text).replace("entries: 8000", "entries: 600")
        (tmp_path / "grow.yaml").write_text(text, encoding="utf-8")
        done = penjing(*shlex.split(commands[1].replace("grown", f"grown{number}"))[1:])
        assert done.code == 0, done.out + done.err
        assert open_base(str(tmp_path / f"grown{number}" / "base"), tmp_path).card.notes["tokens_seen"] > 0


@pytest.mark.whole
@pytest.mark.usefixtures("short_times")
def test_the_way_from_a_large_base_to_a_small_one_runs(
    penjing: Callable[..., Any], tiny_base: Path, tmp_path: Path
) -> None:
    """The commands and the recipe of the page, with tiny bases, few rows and few neighbours."""
    from penjing.core.artifact import open_artifact

    found = FENCE.findall((DOCS / "base.md").read_text(encoding="utf-8"))
    text = next(text for kind, text in found if kind == "yaml" and "compress.student" in text)
    assert text in (DOCS / "zh" / "base.md").read_text(encoding="utf-8")
    drawn, places = random.Random(0), ("delivery", "price")
    words = {kind: [f"{kind}{number}" for number in range(10)] for kind in (*places, "common")}

    def title(kind: str) -> str:
        return " ".join([*drawn.sample(words[kind], 2), *drawn.sample(words["common"], 4), kind])

    lines = [f"{title(places[number % 2])} {number},{places[number % 2]}" for number in range(160)]
    (tmp_path / "titles.csv").write_text("\n".join(["text,label", *lines]) + "\n", encoding="utf-8")
    others = [title(places[number % 2]) for number in range(40)]
    (tmp_path / "more-titles.csv").write_text("\n".join(["text", *others]) + "\n", encoding="utf-8")
    (tmp_path / "news").mkdir()
    for number in range(20):
        news = " ".join(f"{title(drawn.choice(places))} and that was it for the staff of this house." for _ in range(6))
        (tmp_path / "news" / f"{number}.txt").write_text(news + "\n", encoding="utf-8")
    for name, kept in (("small", tiny_base), ("nano", tiny_base)):
        text = text.replace(f"penjing/{name}", name)
        shutil.copytree(kept, tmp_path / name)
    text = text.replace("layers: all, max_tokens: 64", "layers: all, max_tokens: 24, learning_rate: 2.0e-3, epochs: 2")
    text = text.replace("epochs: 6", "epochs: 1").replace("50000", "40").replace("compress.int8", "compress.export")
    (tmp_path / "recipe.yaml").write_text(text.replace("keep: 0.95", "keep: 0.1") + "threads: 1\n", encoding="utf-8")
    commands = next(text for kind, text in found if kind == "bash" and "--against" in text)
    for line in commands.strip().splitlines():
        done = penjing(*shlex.split(line)[1:])
        assert done.code == 0, f"{line}\n{done.out}{done.err}"
    (folder,) = (path for path in (tmp_path / "out" / "cache").glob("compress-distill-*") if path.is_dir())
    card = open_artifact(folder).card
    assert card.base == "nano" and card.notes["origins"]["neighbours"] == 40


def write_rows(path: Path, count: int) -> None:
    """Rows in two labels that words tell apart, no two of them alike."""
    drawn = random.Random(path.name)
    words = [f"{a}{b}" for a in ("ka", "lo", "mi", "nu", "po", "ra", "si", "tu") for b in ("ben", "dor", "fil", "gas")]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label"])
        for number in range(count):
            label, sign = (("spam", "prize"), ("ham", "lunch"))[number % 2]
            filler = " ".join(drawn.sample(words, 8))
            writer.writerow([f"{filler} {sign} {filler[::-1]}", label])


@pytest.mark.parametrize("path", PAGES, ids=name)
def test_links_lead_somewhere(path: Path) -> None:
    for target, _ in LINK.findall(path.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (path.parent / target).exists(), f"{name(path)} links to {target}"


def test_every_page_has_its_twin() -> None:
    english = {path.name for path in DOCS.glob("*.md")} - {"ARCHITECTURE.md"}
    assert english == {path.name for path in (DOCS / "zh").glob("*.md")}


def test_the_certificate_page_has_the_right_figures() -> None:
    for path in (DOCS / "certificate.md", DOCS / "zh" / "certificate.md"):
        text = path.read_text(encoding="utf-8").replace(" %", "%")
        for risk in (10, 5, 2, 1):
            assert f"| {risk}% | {rows_that_certify(risk / 100)} |" in text


def test_nothing_tells_where_it_was_written() -> None:
    for path in [*PAGES, ROOT / "LOG.md", ROOT / "NOTICE"]:
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"/(work|home|root|tmp)/", text), name(path)


def test_no_page_has_marks_of_a_merge() -> None:
    for path in [*PAGES, ROOT / "LOG.md", ROOT / "NOTICE"]:
        assert not re.search(r"^(<{7}|>{7}|={7})( |$)", path.read_text(encoding="utf-8"), re.MULTILINE), name(path)
