"""Changed copies: how much is changed, what never is, and the same for the same seed."""

from __future__ import annotations

from penjing.tune.changed import changed_copies

TEXT = "a bb ccc dddd eeeee ffffff ggggggg hhhhhhhh, i jj kkk"


def test_a_share_of_the_words_is_left_out_or_moved_and_the_rest_stays() -> None:
    words = TEXT.replace(",", "").split()
    for copy in changed_copies([TEXT], 0.3, 20, 0):
        found = copy.replace(",", "").split()
        assert set(found) < set(words) and len(words) - 3 <= len(found) < len(words)
        assert "  " not in copy and copy.count(",") == 1


def test_the_same_seed_gives_the_same_copies_and_each_copy_is_another() -> None:
    assert changed_copies([TEXT, "x y z"], 0.3, 3, 1) == changed_copies([TEXT, "x y z"], 0.3, 3, 1)
    assert changed_copies([TEXT], 0.3, 3, 1) != changed_copies([TEXT], 0.3, 3, 2)
    assert len(set(changed_copies([TEXT], 0.3, 5, 1))) == 5


def test_chinese_words_placeholders_and_texts_of_a_pair() -> None:
    for copy in changed_copies(["酒店服务态度⟦id_card⟧很好"], 0.9, 10, 0):
        assert copy.count("⟦id_card⟧") == 1 and len(copy) > len("⟦id_card⟧")
    for copy in changed_copies(["one\x1fzwei drei vier"], 0.9, 10, 0):
        first, second = copy.split("\x1f")
        assert first == "one" and second.split() and second != "zwei drei vier"
    assert changed_copies(["", "word", "⟦id_card⟧"], 0.5, 1, 0) == ["", "word", "⟦id_card⟧"]
