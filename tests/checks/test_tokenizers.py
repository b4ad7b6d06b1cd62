"""Every kind of tokenizer: nothing is unknown, texts come back, same texts same bytes, all readers agree."""

from __future__ import annotations

import hashlib
import os
import random
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest
import regex
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from penjing.data.mask import PLACEHOLDERS
from penjing.model.vocabulary import cut_tokenizer, single_characters
from penjing.text import tokenizer_parts as parts
from penjing.text.pieces import byte_entries, surfaces, tree_of, unknown_entry
from penjing.text.tokenizer_folder import TOKENIZER_CARD, write_tokenizer
from penjing.text.tokenizer_training import TokenizerOptions, sample, train, train_on
from penjing.text.tokens import TOKENIZER, Tokens, open_tokenizer

ENTRIES = 512
EXAMPLES = int(os.environ.get("PENJING_EXAMPLES", "60"))
WHITE = "\t\n\x0b\x0c\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"


CHINESE = "我们 公司 今天 收到 客户 投诉 快递 太慢 包装 破损 请 尽快 处理 退款 申请 银行 账户 余额 不足"
ENGLISH = "the delivery was late and our customer wants a refund please check account balance today"
ENDINGS = ("ket", "ding", "ner", "ful", "pish")


def corpus() -> list[str]:
    """Sentences in both languages, no two alike."""
    drawn = random.Random(7)
    chinese, english = CHINESE.split(), ENGLISH.split()
    english += [a + b + c for a in ("re", "un", "ta", "mis") for b in ("mar", "lin", "sto", "gap") for c in ENDINGS]
    texts = []
    for number in range(400):
        texts.append("".join(drawn.sample(chinese, 8)) + f"，第{number}单，共{number * 7}.50元。")
        texts.append(" ".join(drawn.sample(english, 8)) + f", order {number}; don't call {PLACEHOLDERS['mobile']}!")
    return texts


CORPUS = corpus()


@pytest.fixture(scope="session", params=parts.KINDS)
def kind(request: pytest.FixtureRequest) -> parts.Kind:
    found: parts.Kind = request.param
    return found


@pytest.fixture(scope="session")
def tokenizer(kind: parts.Kind) -> Tokenizer:
    return train(CORPUS, kind, ENTRIES)


def normalised(text: str, form: str = "NFKC") -> str:
    """The normalisation as docs/tokenizers.md describes it, in other code than that of the tokenizer."""
    found = ""
    for stretch in regex.split("(" + "|".join(map(regex.escape, PLACEHOLDERS.values())) + ")", text):
        if stretch not in PLACEHOLDERS.values():
            stretch = regex.sub(f"[{WHITE}▁]+", " ", unicodedata.normalize(form, stretch))
            if regex.match(r"(?!\p{Han})[\p{L}\p{N}]", stretch):
                stretch = " " + stretch
        found += stretch
    return found.removeprefix(" ")


PIECES = st.one_of(
    st.text(st.characters(exclude_categories=("Cs", "Cn", "Co")), max_size=6),
    st.text("我们的公司退款ＡＢ１２，。！…「」 　ab1.'’▁龘葉😀👍🏽e\u0301ñ한ハﾊﾞ①㎡ﬁ½\n\t\0", max_size=12),
    st.sampled_from([*PLACEHOLDERS.values(), "don't", " refund ", "<0x41>", "[UNK]", "##s", "12345", "！！！"]),
)


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.lists(PIECES, max_size=8).map("".join))
def test_nothing_is_unknown_and_a_text_comes_back(tokenizer: Tokenizer, text: str) -> None:
    assume(not any(name in text for name in parts.SPECIALS if name != parts.UNKNOWN))
    # Letters of Unicode 14 whose compatibility forms Python knows and the library does not.
    assume(not regex.search("[\U00010780-\U000107bf]", text))
    encoding = tokenizer.encode(text, add_special_tokens=False)
    assert tokenizer.token_to_id(parts.UNKNOWN) not in encoding.ids
    assert tokenizer.decode(encoding.ids) == normalised(text)
    again = tokenizer.decode(encoding.ids)
    assert tokenizer.decode(tokenizer.encode(again, add_special_tokens=False).ids) == again
    assert all(0 <= start <= end <= len(text) for start, end in encoding.offsets)


def test_width_is_kept_where_asked(kind: parts.Kind) -> None:
    kept = train(CORPUS, kind, ENTRIES, options=TokenizerOptions(normalization="nfc"))
    text = "你好，ＡＢＣ！e\u0301 fﬁ"
    assert kept.decode(kept.encode(text).ids) == normalised(text, "NFC") == "你好，ＡＢＣ！é fﬁ"


def test_the_ids_of_special_tokens_are_the_first_ones(tokenizer: Tokenizer) -> None:
    names = (*parts.SPECIALS, *PLACEHOLDERS.values())
    assert [tokenizer.token_to_id(name) for name in names] == list(range(len(names)))
    assert tokenizer.get_vocab_size() == ENTRIES
    pair = tokenizer.encode("我们", "refund")
    assert pair.tokens[0] == "[CLS]" and pair.tokens.count("[SEP]") == 2 and pair.tokens[-1] == "[SEP]"
    assert pair.type_ids[-1] == 1 and set(pair.type_ids) == {0, 1}


@pytest.mark.parametrize("token", PLACEHOLDERS.values())
def test_a_placeholder_is_one_token_in_every_place(tokenizer: Tokenizer, token: str) -> None:
    for text in (token, f"请打{token}。", f"call {token} now", f"a{token}{token}1"):
        found = tokenizer.encode(text, add_special_tokens=False)
        assert found.tokens.count(token) == text.count(token), found.tokens
    assert tokenizer.decode(tokenizer.encode(f"请打{token}。").ids) == f"请打{token}。"


def test_no_piece_joins_what_is_apart(tokenizer: Tokenizer) -> None:
    for text in surfaces(tree_of(tokenizer)).values():
        kinds = {
            "digit" if c.isdigit() else "chinese" if regex.match(r"\p{Han}", c) else "letter" if c.isalpha() else c
            for c in text.removeprefix(" ").replace("'", "")
        }
        assert len(kinds) <= 1, text
        assert not text.removeprefix(" ")[1:].isdigit(), text
    words = tokenizer.encode("共12345元，refund是退款", add_special_tokens=False)
    pieces = ["共12345元，refund是退款"[start:end] for start, end in words.offsets]
    assert [piece for piece in pieces if piece.isdigit()] == list("12345")
    assert "，" in pieces and "退款" in pieces


def test_the_house_opens_it_without_adding_anything(tokenizer: Tokenizer, kind: parts.Kind, tmp_path: Path) -> None:
    chosen, options = sample(CORPUS, 10_000_000), TokenizerOptions(kind=kind, entries=ENTRIES)
    write_tokenizer(tmp_path / "tokenizer", tokenizer, options, chosen, [])
    opened = open_tokenizer(tmp_path / "tokenizer")
    assert opened.to_str() == tokenizer.to_str()
    tokens = Tokens(opened, 16)
    assert tokens.pad_id == 0 and tokens.frame == (1, 1) and tokens.size == ENTRIES
    assert tokens.encode(["我们"])[0].tolist() == tokenizer.encode("我们").ids


def test_transformers_gives_the_same_ids(tokenizer: Tokenizer, kind: parts.Kind, tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")
    options = TokenizerOptions(kind=kind, entries=ENTRIES)
    write_tokenizer(tmp_path / "tokenizer", tokenizer, options, sample(CORPUS, 10_000_000), [])
    auto = transformers.AutoTokenizer.from_pretrained(tmp_path / "tokenizer")
    for text in (*CORPUS[:20], "葉😀 [UNK] [MASK] <0x41> ①", ""):
        assert auto(text)["input_ids"] == tokenizer.encode(text).ids
    assert (auto.pad_token_id, auto.cls_token_id, auto.sep_token_id, auto.mask_token_id) == (0, 2, 3, 4)
    assert len(auto) == ENTRIES


def test_the_order_of_the_texts_changes_nothing(tokenizer: Tokenizer, kind: parts.Kind) -> None:
    mixed = random.Random(3).sample(CORPUS, len(CORPUS))
    assert train([*mixed, *mixed[:50]], kind, ENTRIES).to_str() == tokenizer.to_str()


@pytest.mark.whole
def test_another_process_with_another_hash_seed_gives_the_same_bytes(tokenizer: Tokenizer, kind: parts.Kind) -> None:
    wanted = hashlib.sha256(tokenizer.to_str().encode()).hexdigest()
    code = (
        "import hashlib, sys; sys.path.insert(0, sys.argv[1])\n"
        "from tests.checks.test_tokenizers import CORPUS, ENTRIES, train\n"
        "print(hashlib.sha256(train(CORPUS, sys.argv[2], ENTRIES).to_str().encode()).hexdigest())"
    )
    root = str(Path(__file__).parents[2])
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "RAYON_NUM_THREADS": seed}
        done = subprocess.run(
            [sys.executable, "-c", code, root, kind], capture_output=True, text=True, env=environment, check=True
        )
        assert done.stdout.strip() == wanted


def test_entries_can_be_taken_out(tokenizer: Tokenizer) -> None:
    texts = CORPUS[:40]
    used = {place for text in texts for place in tokenizer.encode(text).ids}
    small, order = cut_tokenizer(tokenizer, used | single_characters(tokenizer))
    assert small.get_vocab_size() == len(order) < ENTRIES
    for text in texts:
        assert [order[place] for place in small.encode(text).ids] == tokenizer.encode(text).ids
    bare, _ = cut_tokenizer(tokenizer, ())
    tree = tree_of(bare)
    assert len(byte_entries(tree)) == 256
    for text in (*texts, "葉😀 naïve"):
        ids = bare.encode(text, add_special_tokens=False).ids
        assert unknown_entry(tree) not in ids
        assert bare.decode(ids) == normalised(text)


def test_the_card_says_what_it_was_made_of(tokenizer: Tokenizer, kind: parts.Kind, tmp_path: Path) -> None:
    options = TokenizerOptions(kind=kind, entries=ENTRIES)
    chosen = sample(CORPUS, 10_000_000)
    cards = [write_tokenizer(tmp_path / name, tokenizer, options, chosen, [{"file": "a.txt"}]) for name in "ab"]
    assert cards[0] == cards[1]
    for name in (TOKENIZER, TOKENIZER_CARD, "MANIFEST"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    assert cards[0]["kind"] == kind and cards[0]["segmenter"].startswith("jieba ")
    assert cards[0]["sample"] == {
        "texts": len(CORPUS), "given": len(CORPUS), "characters": sum(map(len, CORPUS)), "digest": chosen.digest
    }  # fmt: skip


def test_sentinels_are_one_token_each(kind: parts.Kind) -> None:
    options = TokenizerOptions(kind=kind, entries=ENTRIES, sentinels=20)
    found = train_on(sample(CORPUS, 10_000_000), options)
    assert found.get_vocab_size() == ENTRIES
    assert found.encode("<extra_id_0>我们<extra_id_19>").tokens[1::2][0] == "<extra_id_0>"
    assert found.token_to_id("<extra_id_19>") == len(parts.SPECIALS) + len(PLACEHOLDERS) + 19
