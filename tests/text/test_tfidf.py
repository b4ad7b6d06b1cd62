"""Features: words where they are, weights by hand, files that come back the same."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penjing.core.errors import DamageError, DataError, UsageError
from penjing.text.tfidf import ROW, Features, Terms, fit_features
from penjing.text.words import segmenter_version, word_spans


def words(text: str, chinese: bool = True) -> list[str]:
    return [text[start:end] for start, end in word_spans(text, chinese)]


def test_words_of_chinese_english_and_placeholders() -> None:
    assert words("服务员态度很好，I don't know!") == ["服务员", "态度", "很", "好", "I", "don't", "know"]
    assert words("请打⟦mobile⟧，谢谢") == ["请", "打", "⟦mobile⟧", "谢谢"]
    assert words("a_b 3.5") == ["a", "b", "3", "5"]
    assert words("") == []


def test_without_chinese_a_run_is_one_word_and_jieba_is_not_asked() -> None:
    assert words("你好吗 ok", chinese=False) == ["你好吗", "ok"]


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet=st.sampled_from("中文分词 ，。aB1%-+\n\t⟦mobile⟧é'’"), max_size=40))
def test_spans_are_ordered_within_the_text_and_never_overlap(text: str) -> None:
    last = 0
    for start, end in word_spans(text):
        assert last <= start < end <= len(text)
        assert text[start].isalnum() or text[start] == "⟦"
        last = end


def test_jieba_is_silent_and_leaves_no_cache(capfd: pytest.CaptureFixture[str]) -> None:
    words("安静地分词")
    assert segmenter_version().startswith("jieba 0.")
    assert capfd.readouterr() == ("", "")


def test_terms_are_words_and_characters() -> None:
    terms = Terms(words=2, characters=2)
    assert terms.of("Go  go!") == [
        "wgo",
        "wgo",
        "wgo go",
        *(f"c{c}" for c in "go go!"),
        "cgo",
        "co ",
        "c g",
        "cgo",
        "co!",
    ]
    assert "c⟦" in terms.of("call ⟦mobile⟧")
    assert "wcall ⟦mobile⟧" in terms.of("call ⟦mobile⟧")
    assert "cm" not in Terms(words=0, characters=1).of("⟦mobile⟧")


def test_weights_by_hand() -> None:
    features = fit_features(["aa b", "aa c", "d"], words=1, characters=1, min_df=2)
    assert features.vocabulary == ("c ", "ca", "waa")
    # All three are in two of three texts, so they share an idf; `a` occurs twice.
    row = features.encode("aa b")
    expected = np.array([1, 1 + math.log(2), 1])
    assert row.dtype == ROW
    assert row["weight"] == pytest.approx(expected / np.linalg.norm(expected), abs=1e-6)
    assert features.idf[0] == pytest.approx(math.log(4 / 3) + 1)
    assert len(features.encode("xyz")) == 0
    assert len(features.encode("")) == 0


def test_the_cap_keeps_the_terms_of_most_texts() -> None:
    texts = ["x y"] * 3 + ["x z"] * 2
    assert set(fit_features(texts, words=1, characters=1, most=2).vocabulary) < {"c ", "cx", "wx"}


def test_a_few_texts_without_a_common_term_still_give_terms() -> None:
    assert len(fit_features(["ab", "cd"], words=0, characters=1)) == 4
    with pytest.raises(DataError, match="no text has a word"):
        fit_features(["", " "])


def test_stray_chinese_does_not_bring_jieba_in() -> None:
    assert not fit_features(["hello there"] * 200 + ["你好"]).terms.chinese
    assert fit_features(["你好", "hello"]).terms.chinese


def test_written_features_come_back_and_repeat_their_bytes(tmp_path: Path) -> None:
    texts = ["房间很干净，a\u2028b", "房间太小 a\u2028b\x85c", "线 ⟦mobile⟧ 房间"]
    features = fit_features(texts)
    first, second = tmp_path / "1", tmp_path / "2"
    for folder in (first, second):
        folder.mkdir()
        fit_features(texts).write(folder)
    read = Features.read(first, features.idf)
    assert (first / "vocabulary.txt").read_bytes() == (second / "vocabulary.txt").read_bytes()
    for text in [*texts, "别的房间"]:
        assert (read.encode(text) == features.encode(text)).all()


def test_damaged_or_foreign_files_are_refused(tmp_path: Path) -> None:
    features = fit_features(["你好吗", "你好呀"])
    features.write(tmp_path)
    with pytest.raises(DamageError, match="weights"):
        Features.read(tmp_path, features.idf[:-1])
    kept = json.loads((tmp_path / "features.json").read_text(encoding="utf-8"))
    (tmp_path / "features.json").write_text(json.dumps(kept | {"segmenter": "jieba 0.1 abc"}), encoding="utf-8")
    with pytest.raises(UsageError, match=r"trained with jieba 0\.1 abc") as caught:
        Features.read(tmp_path, features.idf)
    assert caught.value.fix == "pip install jieba==0.1"
    (tmp_path / "features.json").write_text("[]", encoding="utf-8")
    with pytest.raises(DamageError, match="cannot be read"):
        Features.read(tmp_path, features.idf)
