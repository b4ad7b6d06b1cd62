"""What all trained tokenizers share: special tokens, normalisation, the cut before the pieces, decoding.

    text -> placeholders of the masking are cut out as tokens of their own
         -> NFKC (or NFC); every run of white space becomes one `▁`; a `▁` before a letter or digit at the beginning
         -> segments: a run of Chinese characters | letters of other scripts | one digit | one sign, or a run of the
            same sign; letters, digits and signs keep the `▁` before them
         -> pieces of each segment by the model; a character without an entry becomes the bytes of its UTF-8

No piece joins two kinds of characters, so a word or a number is cut in the same way in every context. Segments have a
bounded length, because the search for the longest piece takes a time that grows faster than the segment.

Source: Kudo and Richardson, SentencePiece, 2018 (the mark of a space); Touvron et al., Llama, 2023 (single digits, bytes
for unknown characters); Wu et al., Google's Neural Machine Translation System, 2016 (WordPiece).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

from penjing.data.mask import PLACEHOLDERS

if TYPE_CHECKING:
    from tokenizers import Tokenizer, decoders, normalizers, pre_tokenizers

Kind = Literal["unigram", "bpe", "wordpiece"]
KINDS: tuple[str, ...] = get_args(Kind)
Normalization = Literal["nfkc", "nfc"]

PAD, UNKNOWN, CLS, SEP, MASK = SPECIALS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
SPACE = "▁"
BYTES = tuple(f"<0x{value:02X}>" for value in range(256))
LONGEST_SEGMENT = 32

# Letters of all scripts but Chinese, with their marks.
_LETTER = r"(?:(?!\p{Han})[\p{L}\p{M}])"
_SEGMENTS = "|".join((
    rf"▁?['’](?:s|t|re|ve|m|ll|d)(?!{_LETTER})",
    rf"▁?{_LETTER}{{1,{LONGEST_SEGMENT}}}",
    rf"\p{{Han}}{{1,{LONGEST_SEGMENT}}}",
    r"▁?\p{N}",
    r"▁?([^\p{L}\p{M}\p{N}▁])\1{0,7}",
    "▁",
))  # fmt: skip


def sentinel(number: int) -> str:
    """The token that marks a left-out span in `denoise`, from 0."""
    return f"<extra_id_{number}>"


def first_entries(kind: Kind, sentinels: int) -> list[str]:
    """The entries before all pieces, in the order of their ids: special tokens, placeholders, sentinels, bytes."""
    bytes_of_kind = sorted(byte_letters().values()) if kind == "wordpiece" else BYTES
    return [*SPECIALS, *PLACEHOLDERS.values(), *map(sentinel, range(sentinels)), *bytes_of_kind]


def normalizer(form: Normalization) -> normalizers.Normalizer:
    """The normalisation of a stretch of text between two special tokens."""
    from tokenizers import Regex, normalizers

    return normalizers.Sequence([
        normalizers.NFKC() if form == "nfkc" else normalizers.NFC(),
        normalizers.Replace(Regex(rf"[\s{SPACE}]+"), SPACE),
        # A mark is put before every text and taken away again, because the library damages places where a pattern of
        # no width is replaced.
        normalizers.Prepend(SPACE),
        normalizers.Replace(Regex(rf"^{SPACE}(?!(?!\p{{Han}})[\p{{L}}\p{{N}}])"), ""),
    ])  # fmt: skip


def segmenter() -> pre_tokenizers.PreTokenizer:
    """The cut of a normalised text into segments that no piece crosses."""
    from tokenizers import Regex, pre_tokenizers

    return pre_tokenizers.Split(Regex(_SEGMENTS), "isolated")


def finish(tokenizer: Tokenizer, kind: Kind, form: Normalization, sentinels: int) -> Tokenizer:
    """A model with everything around it: normalisation, segments, special tokens, [CLS] text [SEP], decoding."""
    from tokenizers import AddedToken, pre_tokenizers, processors

    tokenizer.normalizer = normalizer(form)
    tokenizer.pre_tokenizer = segmenter()
    if kind == "wordpiece":
        whole = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence([segmenter(), whole])
    tokenizer.decoder = _decoder(kind)
    ids = {name: tokenizer.token_to_id(name) for name in (CLS, SEP)}
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{CLS} $A {SEP}", pair=f"{CLS} $A {SEP} $B:1 {SEP}:1", special_tokens=list(ids.items())
    )
    # [UNK] is an entry only: as a special token, a text that holds this word would be unknown.
    specials = [*(name for name in SPECIALS if name != UNKNOWN), *map(sentinel, range(sentinels))]
    tokenizer.add_special_tokens([AddedToken(name, normalized=False, special=True) for name in specials])
    # Not `special`: a decoded text keeps its placeholders.
    tokenizer.add_tokens([AddedToken(name, normalized=False, special=False) for name in PLACEHOLDERS.values()])
    return tokenizer


def byte_letters() -> dict[int, str]:
    """The printable letter that stands for each byte where text is cut into bytes (Radford et al., GPT-2, 2019)."""
    kept = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [value for value in range(256) if value not in kept]
    return {value: chr(value) for value in kept} | {value: chr(256 + i) for i, value in enumerate(others)}


def in_byte_letters(piece: str) -> str:
    """A piece as letters of the bytes of its UTF-8."""
    letters = byte_letters()
    return "".join(letters[value] for value in piece.encode())


def _decoder(kind: Kind) -> decoders.Decoder:
    from tokenizers import decoders

    bytes_back = [decoders.ByteLevel()] if kind == "wordpiece" else [decoders.ByteFallback(), decoders.Fuse()]
    return decoders.Sequence([*bytes_back, decoders.Replace(SPACE, " "), decoders.Strip(" ", 1, 0)])
