"""`penjing tokenizer`: trained from files and from a corpus, compared side by side, refusals with a way out."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from penjing.text.tokens import open_tokenizer

TEXTS = [f"请联系13812345678，第{n}单退款。 Please refund order {n}" for n in range(40)]


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    (tmp_path / "texts.txt").write_text("\n".join(TEXTS) + "\n", encoding="utf-8")
    return tmp_path / "texts.txt"


def test_trained_from_lines_and_from_a_column_to_the_same(penjing: Callable[..., Any], texts: Path) -> None:
    done = penjing("tokenizer", "train", texts, "--entries", 512, "--out", "one", "--json")
    assert done.code == 0, done.err
    (card,) = done.lines
    assert card["kind"] == "unigram" and card["sample"]["texts"] == 40
    assert card["sources"] == [{"file": "texts.txt", "texts": 40, "masking": "2"}]
    tokenizer = open_tokenizer(Path("one"))
    assert "⟦mobile⟧" in tokenizer.encode("⟦mobile⟧").tokens
    # Personal numbers are masked before anything is counted.
    assert not any("138" in piece for piece in tokenizer.get_vocab())
    rows = "".join(json.dumps({"id": n, "text": text}, ensure_ascii=False) + "\n" for n, text in enumerate(TEXTS))
    Path("rows.jsonl").write_text(rows, encoding="utf-8")
    assert penjing("tokenizer", "train", "rows.jsonl", "--entries", 512, "--out", "two").code == 0
    assert Path("one/tokenizer.json").read_bytes() == Path("two/tokenizer.json").read_bytes()


def test_compared_with_a_shipped_base(penjing: Callable[..., Any], texts: Path) -> None:
    assert penjing("tokenizer", "train", texts, "--kind", "wordpiece", "--entries", 512, "--out", "own").code == 0
    done = penjing("tokenizer", "report", "own", "penjing/mini", "--texts", texts, "--json")
    assert done.code == 0, done.err
    found = done.lines[0]
    assert [each["name"] for each in found["tokenizers"]] == ["own", "penjing/mini"]
    assert found["texts"]["texts"] == 40
    own = found["tokenizers"][0]
    assert own["unknown"] == 0 and own["kind"] == "WordPiece" and set(own["by_domain"]) == {"texts"}
    assert own["longest"][0]["where"].startswith(f"{texts}:")
    shown = penjing("tokenizer", "report", "own", "penjing/mini", "--texts", texts, "--lang", "zh").out
    assert "每个字符的词元数" in shown and "penjing/mini" in shown and f"{own['tokens_per_character']:.3f}" in shown


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("train", "texts.txt", "--out", "t", "--kind", "words"), "--kind"),
        (("train", "missing.txt", "--out", "t"), "missing.txt"),
        (("train", ".", "--out", "t"), "not a corpus"),
        (("train", "texts.txt", "--out", "texts.txt"), "is here that `penjing tokenizer train` did not write"),
        (("train", "texts.txt", "--out", "."), "is here that `penjing tokenizer train` did not write"),
        (("report", "nowhere", "--texts", "texts.txt"), "no such folder"),
        (("report", ".", "--texts", "texts.txt"), "has no tokenizer.json"),
        (("report", "penjing/maxi", "--texts", "texts.txt"), "unknown base"),
    ],
)
def test_refusals(penjing: Callable[..., Any], texts: Path, arguments: tuple[str, ...], said: str) -> None:
    assert texts.is_file()
    done = penjing("tokenizer", *arguments)
    assert done.code == 2 and said in done.err, done.err


def test_an_empty_file(penjing: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "empty.txt").write_text("\n\n", encoding="utf-8")
    done = penjing("tokenizer", "train", "empty.txt", "--out", "t")
    assert done.code == 3 and "there is no text to train a tokenizer on" in done.err
    done = penjing("tokenizer", "report", "penjing/nano", "--texts", "empty.txt")
    assert done.code == 3 and "there is no text to compare tokenizers on" in done.err and not done.out
    assert not Path("t").exists()


def test_few_texts_are_said_to_say_little(penjing: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "one.txt").write_text("只有这一条\n", encoding="utf-8")
    done = penjing("tokenizer", "report", "penjing/mini", "--texts", "one.txt")
    assert done.code == 0 and done.out.startswith("1 text, 5 characters, 5 different characters")
    assert "so few texts say little about a tokenizer: give 100 or more" in done.err
    (tmp_path / "many.txt").write_text("只有这一条\n" * 100, encoding="utf-8")
    assert "so few" not in penjing("tokenizer", "report", "penjing/mini", "--texts", "many.txt").err
