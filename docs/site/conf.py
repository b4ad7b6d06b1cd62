"""Sphinx's settings for one language of the site; `build.py` names the language in PENJING_SITE_LANGUAGE."""

import logging
import os

import jieba
from sphinx.search.zh import SearchChinese

# Sphinx 9.0 names the stemmer after the language, but ships the English one for Chinese: its search page would fail.
SearchChinese.language_name = "English"
# It reports each load of its word list.
jieba.setLogLevel(logging.WARNING)

LANGUAGE = os.environ["PENJING_SITE_LANGUAGE"]
OTHER = {"en": ("zh", "中文"), "zh": ("en", "English")}[LANGUAGE]

project = "Penjing 盆景"
language = {"en": "en", "zh": "zh_CN"}[LANGUAGE]
extensions = ["myst_parser"]
exclude_patterns = ["files/**"]
# Links to headings, as GitHub names them.
myst_heading_anchors = 4

html_theme = "furo"
html_title = project
html_copy_source = False
html_show_copyright = False
html_use_index = False
# A summary would be fetched, which a browser refuses for a page that was opened from a folder.
html_show_search_summary = False
html_search_language = {"en": "en", "zh": "zh"}[LANGUAGE]
templates_path = ["templates"]
html_context = {"other_language": OTHER}
html_sidebars = {
    "**": [
        "sidebar/brand.html",
        "sidebar/language.html",
        "sidebar/search.html",
        "sidebar/scroll-start.html",
        "sidebar/navigation.html",
        "sidebar/scroll-end.html",
    ]
}
html_theme_options = {"top_of_page_buttons": []}
