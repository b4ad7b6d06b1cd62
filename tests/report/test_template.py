"""A template escapes what it shows, takes charts as they are, and says what to install where jinja2 is missing."""

from __future__ import annotations

import sys

import pytest

from penjing.core.errors import MissingPackageError
from penjing.report.template import fill_template

VALUES = {
    "language": "en",
    "name": "a & b",
    "heading": "Report",
    "sound": "held",
    "headline": "<b>",
    "sentences": ["One.", "Two."],
    "tiles": [("1", "row", "")],
}


def test_texts_are_escaped_and_the_style_sheet_is_not() -> None:
    page = fill_template("page.html", VALUES)
    assert "<title>a &amp; b · Report</title>" in page and "<h1>&lt;b&gt;</h1>" in page
    assert "<p>One.</p>" in page and "<p>Two.</p>" in page
    style = page.split("<style>")[1].split("</style>")[0]
    assert "{" in style and "&gt;" not in style and "&quot;" not in style


def test_without_jinja2_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(MissingPackageError, match="jinja2") as raised:
        fill_template("page.html", VALUES)
    assert raised.value.fix == "install the packages for training: pip install 'penjing[train]'"
