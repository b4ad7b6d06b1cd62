"""Bytes to text: lines in another encoding, text that was encoded twice, broken characters."""

from __future__ import annotations

from penjing.data.corpus.repair import Changes, decode, repair

LINE = "请帮我查一下这张银行卡的余额和最近三个月的账单"


def test_a_line_in_another_encoding_is_read_in_that_one() -> None:
    changes = Changes()
    raw = b"\n".join([LINE.encode(), (LINE + "吗").encode("gb18030"), LINE.encode()])
    assert decode(raw, "utf-8", changes) == f"{LINE}\n{LINE}吗\n{LINE}"
    assert changes.counts == {"line_in_another_encoding": 1}


def test_a_line_in_no_encoding_is_cut_out_and_a_document_of_them_is_refused() -> None:
    changes = Changes()
    noise = bytes([0xFF, 0x81, 0xFE, 0x80]) * 10
    assert decode(LINE.encode() + b"\n" + noise, "utf-8", changes) == LINE
    assert changes.counts == {"line_not_decoded": 1}
    assert decode(noise, "utf-8", Changes()) is None


def test_text_that_was_encoded_twice_is_put_right() -> None:
    for usual in ("latin-1", "cp1252"):
        changes = Changes()
        wrong = (
            "“it’s fine” café 价".encode().decode(usual, "replace")
            if usual == "latin-1"
            else "it’s".encode().decode(usual)
        )
        meant = "“it’s fine” café 价" if usual == "latin-1" else "it’s"
        assert repair(wrong, changes) == meant and changes.counts == {"encoded_twice": 1}


def test_what_is_right_stays() -> None:
    changes = Changes()
    for text in ("À la carte, 5 € — naïve", "ÅÄÖ é", LINE):
        assert repair(text, changes) == text
    assert changes.counts == {}


def test_broken_characters() -> None:
    changes = Changes()
    assert repair("a\0b\ud800c", changes) == "abc" and changes.counts == {"character_removed": 1}
    assert repair("\ufffd" * 5 + LINE, Changes()) is None
