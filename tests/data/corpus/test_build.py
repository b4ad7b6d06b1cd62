"""A build as a whole: the same bytes with any number of processes and after any stop; every document is counted."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from penjing.core.errors import DataError, RunInterruptedError, UsageError
from penjing.core.nouns import Silent
from penjing.data.corpus.build import HowToBuild, build_corpus
from penjing.data.corpus.folder import Corpus, open_corpus
from penjing.data.corpus.process import BuildOptions
from penjing.data.corpus.sources import CorpusSource, read_sources
from penjing.data.corpus.workers import ProcessEndedError
from penjing.report.corpus_page import render_corpus

SUBJECTS = ("银行卡", "贷款", "账单", "积分", "转账", "理财", "信用卡", "存折", "利率", "手续费", "密码", "网点")
WORDS = ("card", "loan", "bill", "rate", "fee", "account", "branch", "letter", "limit", "refund", "limit", "app")


OTHER = "雨后的山路很滑，老人扶着竹竿慢慢地走，远处传来几声鸟叫。"


def zh(n: int) -> str:
    one, other, third = SUBJECTS[n % 12], SUBJECTS[(n // 12) % 12], SUBJECTS[(n // 144 + 5) % 12]
    day = n % 28 + 1
    about = f"客户第{n}次来电询问{one}的问题，我们解释了{other}的规定"
    return f"{about}，并把{third}的处理结果告诉了他，请他在{day}日之前确认。"


def en(n: int) -> str:
    one, other, third = WORDS[n % 12], WORDS[(n // 12) % 12], WORDS[(n // 144 + 5) % 12]
    about = f"Customer {n} asked about the {one}, so we explained the {other}"
    return f"{about} and told them that the {third} is in order now."


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    """Two folders with texts of both languages, duplicates, faults and a personal number."""
    (tmp_path / "客服").mkdir()
    (tmp_path / "docs").mkdir()
    lines = [zh(n) for n in range(400)] + [
        zh(3),
        zh(5).replace("，", ", "),
        "谢谢！",
        "电话13800138000，请回电给我，谢谢您的帮助",
    ]
    (tmp_path / "客服" / "a.txt").write_text("\n".join(lines), encoding="gb18030")
    (tmp_path / "客服" / "SOURCE.md").write_text("written for a test", encoding="utf-8")
    rows = [json.dumps({"text": en(n)}) for n in range(300)] + [
        json.dumps({"text": "Ich weiß nicht, was das ist und wo es ist"}),
        "{",
    ]
    (tmp_path / "docs" / "b.jsonl.gz").write_bytes(gzip.compress("\n".join(rows).encode()))
    (tmp_path / "docs" / "c.md").write_text(f"# {zh(9000)}\n\n* {zh(9001)}", encoding="utf-8")
    (tmp_path / "docs" / "d.txt.gz").write_bytes(gzip.compress(zh(9100).encode() * 50)[:-9])
    return tmp_path


def build(raw: Path, name: str, how: HowToBuild | None = None, **options: object) -> Corpus:
    sources = [
        CorpusSource(path=str(raw / "客服"), name="客服", documents="line", licence="CC0"),
        CorpusSource(path=str(raw / "docs"), name="docs"),
    ]
    return build_corpus(sources, raw / name, BuildOptions(**options), Silent(), how)  # type: ignore[arg-type]


def test_every_document_is_kept_or_counted(raw: Path) -> None:
    corpus = build(raw, "out", held_out=0.05)
    card = corpus.card
    for source in card.sources:
        assert source.kept.documents + sum(each.documents for each in source.dropped.values()) == source.read.documents
    assert {reason: each.documents for reason, each in card.dropped.items()} == {
        "exact_duplicate": 2, "too_short": 1, "language": 1, "unreadable": 1,
    }  # fmt: skip
    assert (
        card.kept.documents
        == 400 + 1 + 300 + 1
        == sum(1 for part in ("train", "held_out") for _ in corpus.documents(part))
    )
    assert card.masked == {"mobile": 1} and "⟦mobile⟧" in "".join(
        [*corpus.documents("train"), *corpus.documents("held_out")]
    )
    assert card.sources[0].origin == "written for a test" and card.sources[0].licence == "CC0"
    assert card.sources[1].files_not_read == {"damaged": 1}
    held = corpus.amount("held_out")
    assert 10 <= held.documents <= 70 and all(corpus.amount("held_out", domain).documents for domain in corpus.domains)
    assert not set(corpus.documents("held_out")) & set(corpus.documents("train"))
    assert not (raw / "out.unfinished").exists()
    samples = corpus.samples()
    assert (
        samples["exact_duplicate"][0]["same_as"].startswith("客服/a.txt:")
        and samples["too_short"][0]["text"] == "谢谢！"
    )


def test_samples_are_masked_where_the_corpus_is_not(raw: Path) -> None:
    (raw / "docs" / "e.txt").write_text(f"{OTHER}电话13800138000，请回电。", encoding="utf-8")
    (raw / "docs" / "f.txt").write_text(f"{OTHER}电话 13800138000，请回电！", encoding="utf-8")
    sources = read_sources([str(raw / "docs" / "[ef].txt")])
    corpus = build_corpus(sources, raw / "out", BuildOptions(mask=False), Silent())
    assert "".join(corpus.documents("train")) == f"{OTHER}电话13800138000，请回电。"
    samples = corpus.samples()
    assert [row["text"] for row in samples["kept"]] == [f"{OTHER}电话⟦mobile⟧，请回电。"]
    assert [row["text"] for row in samples["exact_duplicate"]] == [f"{OTHER}电话 ⟦mobile⟧，请回电！"]
    assert "13800138000" not in render_corpus(corpus, "zh")


def test_a_document_stays_in_its_part_when_others_come(raw: Path) -> None:
    before = set(build(raw, "one", held_out=0.05).documents("held_out"))
    (raw / "docs" / "e.txt").write_text("\n\n".join(en(n) for n in range(1000, 1400)), encoding="utf-8")
    after = set(build(raw, "two", held_out=0.05).documents("held_out"))
    assert before <= after


def test_the_number_of_processes_makes_no_difference(raw: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("penjing.data.corpus.blocks.SIZE", 8000)
    alone = build(raw, "one")
    assert build(raw, "two", HowToBuild(workers=2)).id == alone.id


def test_a_stopped_build_goes_on_to_the_same_bytes(raw: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("penjing.data.corpus.blocks.SIZE", 8000)
    whole = build(raw, "whole")
    asked = iter([False, False, True])
    with pytest.raises(RunInterruptedError, match=r"stopped after \d blocks?; what is finished is kept"):
        build(raw, "out", HowToBuild(stop=lambda: next(asked, False)))
    stored = {path: path.stat().st_mtime_ns for path in (raw / "out.unfinished" / "blocks").glob("*.block")}
    assert stored and not (raw / "out").exists()
    made: list[Path] = []
    real: Callable[..., None] = sys.modules["penjing.data.corpus.workers"].process_block  # type: ignore[attr-defined]
    monkeypatch.setattr(
        "penjing.data.corpus.workers.process_block", lambda *given: (made.append(given[2]), real(*given))
    )
    assert build(raw, "out").id == whole.id and made and not set(made) & set(stored)


def test_evaluation_sets_are_kept_out(raw: Path) -> None:
    (raw / "docs" / "e.txt").write_text(OTHER, encoding="utf-8")
    (raw / "test.csv").write_text(f"text,label\n{zh(7)},a\n{en(8)},b\n", encoding="utf-8")
    sources = read_sources(
        [str(raw / "docs"), f"客服={raw / '客服' / 'a.txt'}"], CorpusSource(path="-", documents="line")
    )
    corpus = build_corpus(sources, raw / "out", BuildOptions(), Silent(), against=[str(raw / "test.csv")])
    texts = list(corpus.documents("train"))
    assert zh(7) not in texts and en(8) not in texts and OTHER in texts
    assert corpus.card.against == {"test": 2} and corpus.card.against_hits["test"] >= 2
    assert corpus.card.dropped["contaminated"].documents >= 2


def test_what_cannot_be_built_says_why(raw: Path) -> None:
    (raw / "empty").mkdir()
    (raw / "bad").mkdir()
    (raw / "bad" / "x.txt.gz").write_bytes(b"\x1f\x8b\x08 nothing")
    (raw / "short").mkdir()
    (raw / "short" / "x.txt").write_text("好", encoding="utf-8")
    for name, words in (
        ("empty", "no text in this source"),
        ("bad", "1 × damaged"),
        ("short", r"all were dropped \(1 × too_short\)"),
    ):
        with pytest.raises(DataError, match=words):
            build_corpus(read_sources([str(raw / name)]), raw / "out", BuildOptions(), Silent())
    with pytest.raises(UsageError, match="something is here"):
        build_corpus(read_sources([str(raw / "docs")]), raw / "docs", BuildOptions(), Silent())


@pytest.mark.parametrize("near", [True, False])
def test_where_not_one_document_is_read_the_reason_and_the_bound_are_named(raw: Path, near: bool) -> None:
    for name, content, reason in (
        ("bomb.txt.gz", gzip.compress(bytes([48]) * (65 << 20)), "bomb"),
        ("line.txt", "客户来电询问账单".encode() * 400_000, "too_large"),
    ):
        (raw / name).write_bytes(content)
        with pytest.raises(DataError, match=rf"all were dropped \(1 × {reason}\)") as caught:
            build_corpus(read_sources([str(raw / name)]), raw / "out", BuildOptions(near=near), Silent())
        assert "8 MB" in str(caught.value.fix) and "--most-ratio" in str(caught.value.fix)
        assert not (raw / "out").exists()


@pytest.mark.parametrize("given", ["docs", ".", "docs/**"])
def test_a_corpus_is_not_written_among_its_own_texts(raw: Path, given: str) -> None:
    out = raw / "docs" / "corpus"
    (out / "text").mkdir(parents=True)  # as an earlier build left it
    (out / "text" / "a.jsonl").write_text(json.dumps({"text": OTHER}), encoding="utf-8")
    (out / "MANIFEST").touch()
    with pytest.raises(UsageError, match="--out is among the texts of") as caught:
        build_corpus(read_sources([str(raw / given)]), out, BuildOptions(), Silent())
    assert caught.value.where == str(out) and not (raw / "docs" / "corpus.unfinished").exists()


def test_a_sealed_folder_of_another_kind_is_not_replaced(raw: Path) -> None:
    (raw / "base").mkdir()
    for name in ("MANIFEST", "card.json", "model.safetensors"):
        (raw / "base" / name).touch()
    with pytest.raises(UsageError, match="something is here that `penjing corpus build` did not write"):
        build(raw, "base")
    assert sorted(path.name for path in (raw / "base").iterdir()) == ["MANIFEST", "card.json", "model.safetensors"]


def test_two_builds_at_once_are_refused(raw: Path) -> None:
    def again() -> bool:
        with pytest.raises(UsageError, match="is working here"):
            build(raw, "out")
        return False

    build(raw, "out", HowToBuild(stop=again))


@pytest.mark.whole
def test_a_killed_build_goes_on_to_the_same_bytes_and_leaves_no_process(raw: Path) -> None:
    command = [sys.executable, "-m", "penjing", "corpus", "build", str(raw / "docs"), "--workers", "2", "--out"]
    (raw / "docs" / "big.txt").write_text("\n\n".join(zh(n) + en(n) for n in range(20_000)), encoding="utf-8")
    subprocess.run([*command, str(raw / "whole")], check=True, capture_output=True)
    process = subprocess.Popen([*command, str(raw / "out")], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    blocks = raw / "out.unfinished" / "blocks"
    while not list(blocks.glob("*.block")):
        time.sleep(0.02)
        assert process.poll() is None
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text(encoding="ascii").split()
    process.send_signal(signal.SIGKILL)
    process.wait()
    deadline = time.monotonic() + 30
    while any(Path(f"/proc/{child}").exists() for child in children) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(Path(f"/proc/{child}").exists() for child in children)
    subprocess.run([*command, str(raw / "out")], check=True, capture_output=True)
    assert open_corpus(raw / "out").id == open_corpus(raw / "whole").id


@pytest.mark.whole
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk to fill it")
def test_a_full_disk_is_named_and_the_build_goes_on(raw: Path) -> None:
    disk = raw / "disk"
    disk.mkdir()
    mount = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=150k", "none", disk], capture_output=True, check=False)
    if mount.returncode != 0:
        pytest.skip(f"no small disk can be mounted here: {mount.stderr.decode(errors='replace').strip()}")
    try:
        command = [sys.executable, "-m", "penjing", "corpus", "build", str(raw / "docs"), "--workers", "1", "--out"]
        (raw / "docs" / "big.txt").write_text("\n\n".join(zh(n) + en(n) for n in range(3000)), encoding="utf-8")
        ran = subprocess.run([*command, str(disk / "out")], capture_output=True, check=False)
        said = ran.stderr.decode()
        assert ran.returncode == 1 and "the disk is full" in said and "Traceback" not in said, said
        subprocess.run(["mount", "-o", "remount,size=30m", disk], check=True)
        subprocess.run([*command, str(disk / "out")], check=True, capture_output=True)
        subprocess.run([*command, str(raw / "whole")], check=True, capture_output=True)
        assert open_corpus(disk / "out").id == open_corpus(raw / "whole").id
    finally:
        subprocess.run(["umount", disk], check=True)


STREAM = """
import resource, sys
from pathlib import Path
from penjing.core.nouns import Silent
from penjing.data.corpus.build import HowToBuild, build_corpus
from penjing.data.corpus.process import BuildOptions
from penjing.data.corpus.sources import CorpusSource
source = CorpusSource(path="-", name="stdin", domain="stdin", documents="line")
build_corpus([source], Path(sys.argv[1]), BuildOptions(), Silent(), HowToBuild())
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.whole
def test_memory_is_flat_over_a_stream(tmp_path: Path) -> None:
    """16 MB need hardly more memory than 4 MB: 100 bytes a document, and what the allocator holds."""

    def peak(name: str, size: int) -> int:
        process = subprocess.Popen(
            [sys.executable, "-c", STREAM, str(tmp_path / name)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert process.stdin is not None
        written = n = 0
        while written < size:
            line = (zh(n) * 3 + en(n)).encode() + b"\n"
            process.stdin.write(line)
            written, n = written + len(line), n + 1
        return int(process.communicate()[0])

    assert peak("large", 16 << 20) - peak("small", 4 << 20) < 10 << 10  # KB


def test_a_process_that_ended_with_the_command_is_a_stop(raw: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def ended(*_: object) -> Iterator[tuple[int, int, Path]]:
        raise ProcessEndedError("a process was ended")
        yield

    monkeypatch.setattr("penjing.data.corpus.build.stored_blocks", ended)
    with pytest.raises(RunInterruptedError, match="stopped after 0 blocks; what is finished is kept"):
        build(raw, "out", HowToBuild(stop=lambda: True))
    with pytest.raises(ProcessEndedError):
        build(raw, "out")


def test_a_build_stops_while_it_compares_and_while_it_writes(raw: Path) -> None:
    class Seen(Silent):
        title = ""

        def start(self, title: str, total: int | None) -> None:  # noqa: ARG002
            self.title = title

    for title in ("looking for near duplicates", "writing (blocks)"):
        seen = Seen()
        how = HowToBuild(stop=partial(lambda seen, title: seen.title == title, seen, title))
        with pytest.raises(RunInterruptedError, match="stopped"):
            build_corpus(read_sources([str(raw / "docs")]), raw / "out", BuildOptions(), seen, how)
        assert seen.title == title and not (raw / "out").exists()


def test_a_file_that_is_gone_when_it_is_read_is_counted(raw: Path) -> None:
    said: list[str] = []

    class Late(Silent):
        def start(self, title: str, total: int | None) -> None:  # noqa: ARG002
            (raw / "docs" / "z.txt").unlink(missing_ok=True)

        def say(self, line: str) -> None:
            said.append(line)

    (raw / "docs" / "z.txt").write_text(OTHER, encoding="utf-8")
    corpus = build_corpus(read_sources([str(raw / "docs")]), raw / "out", BuildOptions(), Late())
    assert corpus.card.sources[0].files_not_read["gone"] == 1
    assert "not read: docs: z.txt: this file is no longer there" in said


def test_a_traditional_evaluation_set_is_compared_with_simplified_documents(raw: Path) -> None:
    (raw / "set.csv").write_text(
        "text\n我在這家銀行辦理了一張信用卡，結果年費被扣了兩次，打電話投訴也沒有人處理。\n", encoding="utf-8"
    )
    (raw / "one.txt").write_text(
        f"我在这家银行办理了一张信用卡，结果年费被扣了两次，打电话投诉也没有人处理。\n{OTHER}\n", encoding="utf-8"
    )
    sources = read_sources([str(raw / "one.txt")], CorpusSource(path="-", documents="line"))
    for simplify, kept in ((False, 2), (True, 1)):
        options = BuildOptions(simplify=simplify)
        corpus = build_corpus(sources, raw / "out", options, Silent(), against=[str(raw / "set.csv")])
        assert corpus.card.kept.documents == kept and corpus.card.against == {"set": 1}
