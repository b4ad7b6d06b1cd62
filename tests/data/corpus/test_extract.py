"""Markdown, web pages and rows of JSON as plain text; long texts in parts that together are the text."""

from __future__ import annotations

import pytest

from penjing.data.corpus.extract import divide, html_text, json_text, markdown_text

MARKDOWN = """---
title: 标题
---
# 第一章 总则 #

见[《办法》](https://example.com/a_(b).html)与 ![图](a.png)第 **三** 条，_重点_，`code` 保留；snake_case_name 不变。

```python
secret = 1
```

> 引用的话
- [x] 第一项
* 第二项

| 名称 | 数量 |
|------|-----:|
| 苹果 | 3 |

<div align="center">居中</div> <!-- 注释 -->
1 < 2 且 3 > 2，2\\*3
[ref]: http://x.y
"""


def test_markdown() -> None:
    lines = [line for line in markdown_text(MARKDOWN).splitlines() if line.strip()]
    assert lines == [
        "第一章 总则",
        "见《办法》与 第 三 条，重点，code 保留；snake_case_name 不变。",
        "引用的话",
        "第一项",
        "第二项",
        "名称 数量",
        "苹果 3",
        "居中 ",
        "1 < 2 且 3 > 2，2*3",
    ]


def test_a_block_of_code_that_is_never_closed_is_text() -> None:
    assert "正文" in markdown_text("```\n正文在这里")


def test_html_gives_the_article() -> None:
    pytest.importorskip("trafilatura")
    body = "".join(f"<p>{'银行在收到您的投诉之后会与您联系。' * 4}第{n}段</p>" for n in range(3))
    menu = "<nav><a href='/'>首页</a><a href='/a'>关于</a></nav>"
    page = f"<html><body>{menu}<article>{body}</article><footer>版权</footer></body></html>"
    found = html_text(page)
    assert "第2段" in found and "首页" not in found and html_text("<html></html>") == ""


def test_json_takes_words_out_of_lists_and_messages() -> None:
    row = '{"messages": [{"role": "user", "content": "你好"}, {"role": "bot", "content": "您好"}], "n": 3, "t": " a "}'
    assert json_text(row.encode(), ["messages"]) == "你好\n您好"
    assert json_text(row.encode(), ["t", "n", "none"]) == "a"
    assert json_text(b"[1]", ["t"]) is None and json_text(b"{", ["t"]) is None


def test_parts_are_the_text() -> None:
    text = "\n".join(["第一行。" * 30, "x" * 500, "短"])
    parts = divide(text, 100)
    assert max(map(len, parts)) <= 100
    assert "".join(parts).replace("\n", "") == text.replace("\n", "")
    assert all(part.endswith("。") for part in parts[:1]) and divide("abc", 100) == ["abc"]
