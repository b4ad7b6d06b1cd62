"""Special tokens are found in a tokenizer of any kind, or added to it; none of them replaces a hidden token."""

from __future__ import annotations

from tests.pretrain_toys import tokenizer
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import WhitespaceSplit

from penjing.pretrain.parts.marks import SENTINELS, begin_and_end, find_marks


def bare() -> Tokenizer:
    """Two words, and no special token."""
    made = Tokenizer(WordLevel({"a": 0, "b": 1}, unk_token="a"))
    made.pre_tokenizer = WhitespaceSplit()
    return made


def test_an_encoder_has_its_frame_from_the_template_and_nothing_is_added() -> None:
    words = tokenizer()
    marks = find_marks(words, "encoder")
    assert (marks.before, marks.after, marks.frame) == ((2,), (3,), 2)
    assert (marks.padding, marks.mask, marks.sentinels) == (0, 4, ())
    assert marks.ordinary.tolist() == [1, *range(5, 45)]  # all but [PAD], [CLS], [SEP], [MASK]
    assert words.get_vocab_size(with_added_tokens=True) == 45
    assert begin_and_end(words) == (2, 3)


def test_what_is_missing_is_added_once_after_the_vocabulary() -> None:
    words = bare()
    marks = find_marks(words, "encoder")
    assert (marks.before, marks.after, marks.padding, marks.mask) == ((), (), 2, 3)
    assert marks.ordinary.tolist() == [0, 1]
    assert words.encode("a [MASK] b").ids == [0, 3, 1]
    again = find_marks(words, "encoder")
    assert (again.padding, again.mask, words.get_vocab_size(with_added_tokens=True)) == (2, 3, 4)


def test_a_decoder_ends_each_document_and_hides_nothing() -> None:
    words = bare()
    marks = find_marks(words, "decoder")
    assert (marks.before, marks.after, marks.mask) == ((), (3,), -1)
    assert words.id_to_token(3) == "</s>" and begin_and_end(words) == (None, 3)
    marks = find_marks(tokenizer(), "decoder")
    assert (marks.before, marks.after) == ((2,), (3,))


def test_an_encoder_decoder_has_sentinels_in_their_order_and_no_beginning() -> None:
    words = tokenizer()
    marks = find_marks(words, "encoder-decoder")
    assert (marks.before, marks.after, marks.mask) == ((), (3,), -1)
    assert marks.sentinels == tuple(range(45, 45 + SENTINELS))
    assert words.token_to_id("<extra_id_7>") == marks.sentinels[7]
    assert not set(marks.sentinels) & set(marks.ordinary.tolist())
