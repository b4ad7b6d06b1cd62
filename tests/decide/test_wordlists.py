"""Named word lists: encodings, folding, and the line of a word that cannot be compared."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.work_done import assert_done_within

from penjing.core.errors import RuleError
from penjing.decide import wordlists
from penjing.decide.schema import FactSchema
from penjing.decide.wordlists import Lists, read_list

SCHEMA = FactSchema(("ham", "spam"))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_words_are_folded_and_kept_once_in_order(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "敏感词.txt").write_bytes("ＶＩＰ  客户\r\n\r\n律师\r\nvip 客户\r\n＃1\r\n".encode(encoding))
    found = read_list(tmp_path / "敏感词.txt", SCHEMA)
    assert (found.name, found.words) == ("敏感词", ("vip 客户", "律师", "#1"))
    assert found.raw == (tmp_path / "敏感词.txt").read_bytes()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a\nb\n电话13812345678\n", ["x.txt:3", "personal number (mobile)", "`pii.mobile`"]),
        ("a\nme@example.com\n", ["x.txt:2", "personal number (email)"]),
        ("a\n" + "b" * 201 + "\n", ["x.txt:2", "a word of 201 characters; at most 200"]),
        ("\n \n", ["x.txt", "has no words"]),
        ("a\n\u00ad\n", ["x.txt:2", "is empty when it is compared"]),
        ("a\0b\n", ["a NUL character"]),
        ("a\nb\nc\nd\n", ["x.txt:4", "more than 3 words"]),
    ],
)
def test_refuses_with_the_line(tmp_path: Path, text: str, words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wordlists, "MAX_WORDS", 3)
    (tmp_path / "x.txt").write_text(text, encoding="utf-8")
    with pytest.raises(RuleError) as raised:
        read_list(tmp_path / "x.txt", SCHEMA)
    for word in words:
        assert word in str(raised.value), raised.value


def test_a_name_never_leaves_the_folder(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("a\n", encoding="utf-8")
    (tmp_path / "words").mkdir()
    for name in ("../secret", "a/b", ".hidden", "", "x" * 61):
        with pytest.raises(RuleError, match="cannot be the name of a word list"):
            Lists(tmp_path / "r.csv", SCHEMA).find(name, "r.csv:2:3")
    with pytest.raises(RuleError, match="there is no word list `secret`"):
        Lists(tmp_path / "r.csv", SCHEMA).find("secret", "r.csv:2:3")


def test_a_long_list_is_read_fast(tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text(
        "".join(f"词语{chr(0x4E00 + i % 9000)}{chr(0x5000 + i // 9000)}好\n" for i in range(50_000)),
        encoding="utf-8",
    )
    assert len(read_list(tmp_path / "x.txt", SCHEMA).words) > 40_000
    assert_done_within(5, lambda: read_list(tmp_path / "x.txt", SCHEMA))


def test_words_in_another_encoding_are_refused_where_they_are_not_sealed(tmp_path: Path) -> None:
    path = tmp_path / "x.txt"
    path.write_bytes("退貨\n客訴\n".encode("big5"))
    with pytest.raises(RuleError, match="it would be read as `癶砯`"):
        read_list(path, SCHEMA)
    assert read_list(path, SCHEMA, sealed=True).words[0] == "癶砯"
    path.write_bytes("退货\n客诉\n".encode("gb18030"))
    assert read_list(path, SCHEMA).words == ("退货", "客诉")
