"""New rules on the same model: certified on fresh rows only, sealed whole, the old release left as it was."""

from __future__ import annotations

import csv
import dataclasses
import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from penjing.cases.replay import replay_decision
from penjing.core.artifact import open_release, read_gates, write_gates
from penjing.core.canon import canonical_json
from penjing.core.errors import DamageError, DataError, GateError, RuleError, UsageError
from penjing.core.folder import MANIFEST, sealed_folder, verify
from penjing.core.nouns import Release, Silent, Table
from penjing.decide.condition import Then
from penjing.decide.decider import Decider, Request
from penjing.decide.policy import load_policy
from penjing.decide.schema import FactSchema
from penjing.prove import amend as module
from penjing.prove.amend import Columns, amend, read_certificate
from penjing.prove.certify import certify, fix_grid, label_facts
from penjing.runtime.open import open_session

RULES = "name,text,channel,then\nlunch,contains lunch,,review\nvip,,vip,review\n"
SPAM = ("free prize", "win cash now", "claim your reward", "urgent offer")
HAM = ("see you", "call me later", "meeting moved", "thanks mum")


def texts(count: int, seed: int) -> list[tuple[str, str]]:
    drawn = random.Random(seed)
    found = []
    for i in range(count):
        label = ("ham", "spam")[i % 2]
        words = drawn.choice(SPAM if label == "spam" else HAM)
        found.append((f"{words} {seed} {i} {drawn.randrange(10**6)}", label))
    return found


def write_csv(path: Path, rows: list[tuple[str, str]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label", "channel", "amount"])
        writer.writerows((text, label, "web", "1.5") for text, label in rows)
    return path


@pytest.fixture(scope="module")
def release(tiny_release_maker: Callable[..., Release], tmp_path_factory: pytest.TempPathFactory) -> Release:
    """The tiny release with a certificate that was really made."""
    folder = tmp_path_factory.mktemp("certified")
    plain = tiny_release_maker(folder)
    policy, session = load_policy(plain), open_session(plain.artifact, threads=1)

    def table(count: int, seed: int) -> Table:
        rows = texts(count, seed)
        fields = {"channel": ["web"] * count, "amount": [1.0] * count}
        return Table([text for text, _ in rows], [label for _, label in rows], fields=fields)

    grid = fix_grid(policy, label_facts(session, policy, table(100, 1)), 200, 0.1)
    certificate = certify(policy, grid, label_facts(session, policy, table(200, 2)), 0.1, used=("0" * 16,))
    with sealed_folder(folder / "sealed") as inside:
        shutil.copytree(plain.folder, inside, dirs_exist_ok=True)
        (inside / MANIFEST).unlink()
        (inside / "certificate.json").write_bytes(canonical_json(certificate.model_dump(mode="json")))
    return open_release(folder / "sealed")


def test_seals_new_rules_on_the_same_model(release: Release, tmp_path: Path) -> None:
    rules, before = tmp_path / "new.csv", verify(release.folder)
    rules.write_text(RULES, encoding="utf-8")
    data = write_csv(tmp_path / "fresh.csv", [*texts(300, 5), *texts(50, 2), texts(1, 5)[0]])
    done = amend(release, rules, data, tmp_path / "out", threads=1)
    assert (done.rows, done.used, done.repeated) == (351, 50, 1)
    assert done.certificate.rows == 300 and done.certificate.certified
    assert done.certificate.grid == read_certificate(release).grid
    assert done.release.artifact.id == release.artifact.id and done.release.id != release.id
    assert verify(release.folder) == before
    for name in ("regression.jsonl", "selfcheck.json", "release.json"):
        assert (done.release.folder / name).read_bytes() == (release.folder / name).read_bytes()
    policy = load_policy(done.release)
    assert policy.spec.thresholds == done.certificate.thresholds
    decider = Decider(done.release, threads=1)
    lunch, number = decider.decide([Request("lunch?", {"channel": "web"}), Request("a lottery", {"channel": "web"})])
    assert lunch.decision.fired == ("lunch",) and number.decision.decided_by == "model"


def test_rules_that_alone_break_a_limit_on_misses_are_refused(release: Release, tmp_path: Path) -> None:
    path = ({"ham": 0.9, "spam": 0.9},)
    limited = read_certificate(release).model_copy(update={"max_miss": {"spam": 0.05}, "path": path, "grid": {}})
    with sealed_folder(tmp_path / "limited") as inside:
        shutil.copytree(release.folder, inside, dirs_exist_ok=True)
        (inside / MANIFEST).unlink()
        (inside / "certificate.json").write_bytes(canonical_json(limited.model_dump(mode="json")))
    rules, data = tmp_path / "new.csv", write_csv(tmp_path / "fresh.csv", texts(300, 5))
    rules.write_text("name,text,then\nprize,contains prize,outcome ham\n", encoding="utf-8")
    with pytest.raises(GateError, match=r"of 150 labelled rows of `spam`.*`prize` \(new\.csv:2\)"):
        amend(open_release(tmp_path / "limited"), rules, data, tmp_path / "out", threads=1)
    assert not (tmp_path / "out").exists()
    rules.write_text("name,text,then\nprize,contains prize,outcome spam\n", encoding="utf-8")
    assert amend(open_release(tmp_path / "limited"), rules, data, tmp_path / "out", threads=1).certificate.max_miss


def test_promises_about_the_model_go_with_it_and_times_do_not(release: Release, tmp_path: Path) -> None:
    copy = open_release(shutil.copytree(release.folder, tmp_path / "release"))
    keep = {"name": "keep", "promised": 0.9, "state": "held", "measured": 0.95}
    write_gates(copy.folder, copy.id, [keep, {"name": "p99_ms", "promised": 20.0, "state": "held"}])
    (tmp_path / "new.csv").write_text(RULES, encoding="utf-8")
    done = amend(copy, tmp_path / "new.csv", write_csv(tmp_path / "fresh.csv", texts(60, 5)), tmp_path / "out")
    assert read_gates(done.release) == [keep] and done.certificate.gates == ()
    old = amend(release, tmp_path / "new.csv", tmp_path / "fresh.csv", tmp_path / "other")
    assert read_gates(old.release) == []


def test_rules_that_are_edited_meanwhile_are_not_what_is_sealed(
    release: Release, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules, opened = tmp_path / "new.csv", module.open_table
    rules.write_text(RULES, encoding="utf-8")

    def edited(*given: Any, **more: Any) -> Any:
        rules.unlink()
        return opened(*given, **more)

    monkeypatch.setattr(module, "open_table", edited)
    done = amend(release, rules, write_csv(tmp_path / "fresh.csv", texts(300, 5)), tmp_path / "out", threads=1)
    assert (done.release.folder / "policy" / "rules.csv").read_text(encoding="utf-8") == RULES


def test_rows_never_certify_twice(release: Release, tmp_path: Path) -> None:
    (tmp_path / "new.csv").write_text(RULES, encoding="utf-8")
    data = write_csv(tmp_path / "fresh.csv", texts(200, 6))
    once = amend(release, tmp_path / "new.csv", data, tmp_path / "one", threads=1)
    with pytest.raises(DataError) as raised:
        amend(once.release, tmp_path / "new.csv", data, tmp_path / "two", threads=1)
    assert "none of the 200 rows can certify: each was used before" in str(raised.value)
    assert not (tmp_path / "two").exists()


def test_a_full_width_copy_of_a_used_row_never_certifies(release: Release, tmp_path: Path) -> None:
    (tmp_path / "new.csv").write_text(RULES, encoding="utf-8")
    wide = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}
    copies = [(text.translate(wide), label) for text, label in texts(200, 2)]  # the calibration rows of the release
    done = amend(release, tmp_path / "new.csv", write_csv(tmp_path / "f.csv", [*copies, *texts(20, 9)]), tmp_path / "o")
    assert (done.rows, done.used, done.certificate.rows) == (220, 200, 20)


def test_too_few_rows_send_everything_to_a_person(release: Release, tmp_path: Path) -> None:
    (tmp_path / "new.csv").write_text(RULES, encoding="utf-8")
    data = write_csv(tmp_path / "fresh.csv", texts(10, 7))
    done = amend(release, tmp_path / "new.csv", data, tmp_path / "out", threads=1)
    assert not done.certificate.certified and done.certificate.needs["*"].answer == "unknown"
    (case,) = Decider(done.release, threads=1).decide([Request("free prize", {"channel": "web"})])
    assert case.decision.reason == "not_certified"


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ("txt,label\na,ham\n", "there is no column `text`"),
        ("text,lable\na,ham\n", "name the column with --label"),
        ("text,label\na,hma\n", "fresh.csv: row 2: unknown label 'hma'"),
        ("text,label,amount\na,ham,much\n", "fresh.csv: row 2: the field `amount` is `much`, not a number"),
    ],
)
def test_refuses_data_that_does_not_fit(release: Release, tmp_path: Path, lines: str, words: str) -> None:
    (tmp_path / "new.csv").write_text(RULES, encoding="utf-8")
    (tmp_path / "fresh.csv").write_text(lines, encoding="utf-8")
    with pytest.raises((DataError, UsageError)) as raised:
        amend(release, tmp_path / "new.csv", tmp_path / "fresh.csv", tmp_path / "out", threads=1)
    assert words in str(raised.value)


def test_refuses_rules_that_contradict_and_a_target_that_is_the_release(release: Release, tmp_path: Path) -> None:
    (tmp_path / "new.csv").write_text("name,p,then\na,<0.7,review\nb,<0.7,outcome ham\n", encoding="utf-8")
    data = write_csv(tmp_path / "fresh.csv", texts(10, 8))
    with pytest.raises(RuleError, match=r"rows 2 \(a\) and 3 \(b\) have the same conditions"):
        amend(release, tmp_path / "new.csv", data, tmp_path / "out", threads=1)
    with pytest.raises(UsageError, match="would replace the old one"):
        amend(release, tmp_path / "new.csv", data, release.folder, threads=1)


def test_word_lists_are_sealed_with_the_rules_that_name_them(release: Release, tmp_path: Path) -> None:
    (tmp_path / "words").mkdir()
    (tmp_path / "words" / "奖.txt").write_bytes("\ufeffFREE Prize\r\nreward\r\n".encode())
    (tmp_path / "words" / "unused.txt").write_text("lunch\n", encoding="utf-8")
    head = "name,text,channel,valid_to,priority,then,why\n"
    rows = "prize,contains @奖,,,,review 奖品组,a prize\nvip,,vip,,,model,\nold,,,2026-06-30,1,outcome ham,\n"
    (tmp_path / "new.csv").write_text(head + rows, encoding="utf-8")
    data = write_csv(tmp_path / "fresh.csv", texts(300, 5))
    made = amend(release, tmp_path / "new.csv", data, tmp_path / "one" / "out", threads=1).release
    words = made.folder / "policy" / "words"
    assert [each.name for each in words.iterdir()] == ["奖.txt"]
    assert (words / "奖.txt").read_bytes() == (tmp_path / "words" / "奖.txt").read_bytes()
    spec = load_policy(made).spec
    assert (spec.format, spec.rules, spec.facts, spec.labels) == (4, "2", "5", load_policy(release).spec.labels)

    decider = Decider(made, threads=1)
    asked = [Request(text, {"channel": "web"}) for text in ("your free  PRIZE", "hello")]
    july = [each.decision for each in decider.decide(asked, clock="2026-07-01T00:00:00.000000Z")]
    june = [each.decision for each in decider.decide(asked, clock="2026-06-30T23:59:59.000000Z")]
    assert july[0].facts["text"] == {"lists": {"奖": ["free prize"]}} and july[1].facts["text"] == {}
    assert (july[0].route, july[0].queue, july[0].fired, july[1].fired) == ("review", "奖品组", ("prize",), ())
    assert [each.fired for each in june] == [("old",), ("old",)]
    # Until June that rule forces every outcome; after it the model decides, within what is proven of that period.
    first, second = load_policy(made).spec.periods
    assert first.last is not None and second.first == first.last + 1
    assert not first.thresholds and second.thresholds and july[1].reason == "above_threshold"
    recorded = json.loads(canonical_json(july[0].to_json()))
    replayed = replay_decision(load_policy(open_release(made.folder)), recorded)
    assert replayed.same and recorded["queue"] == "奖品组"

    # Other rules, without the list: it is not in the next release.
    (tmp_path / "next.csv").write_text(RULES, encoding="utf-8")
    fresh = write_csv(tmp_path / "next-rows.csv", texts(300, 6))
    after = amend(made, tmp_path / "next.csv", fresh, tmp_path / "two" / "out", threads=1).release
    assert not (after.folder / "policy" / "words").exists()
    (words / "奖.txt").write_text("free prize\n", encoding="utf-8")
    with pytest.raises(DamageError):
        open_release(made.folder)


def test_the_command_of_the_same_name_has_nothing_of_torch(release: Release, tmp_path: Path) -> None:
    import subprocess
    import sys

    (tmp_path / "new.csv").write_text(RULES, encoding="utf-8")
    data = write_csv(tmp_path / "fresh.csv", texts(200, 9))
    code = (
        "import sys\n"
        "for name in ('torch', 'transformers', 'sklearn', 'polars', 'scipy'): sys.modules[name] = None\n"
        "from pathlib import Path\n"
        "from penjing.core.artifact import open_release\n"
        "from penjing.prove.amend import amend\n"
        "a = [Path(each) for each in sys.argv[1:]]\n"
        "print(amend(open_release(a[0]), a[1], a[2], a[3], threads=1).release.id)\n"
    )
    arguments = [release.folder, tmp_path / "new.csv", data, tmp_path / "out"]
    ran = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == open_release(tmp_path / "out").id
    assert json.loads((tmp_path / "out" / "certificate.json").read_bytes())["rows"] == 200


def with_reads(release: Release, folder: Path, **changes: object) -> Release:
    """The release with another release.json."""
    with sealed_folder(folder) as inside:
        shutil.copytree(release.folder, inside, dirs_exist_ok=True)
        (inside / MANIFEST).unlink()
        info = release.info.model_copy(update={"format": 2, **changes})
        (inside / "release.json").write_bytes(canonical_json(info.model_dump(mode="json")))
    return open_release(folder)


def test_rows_are_read_as_make_reads_them(release: Release, tmp_path: Path) -> None:
    """Labels, fields and columns: what trains, certifies."""
    made = with_reads(
        release,
        tmp_path / "r",
        columns={"text": "留言", "label": "类别"},
        labels_read_as={"ＨＡＭ": "ham", "垃圾": "spam"},
    )
    (tmp_path / "new.csv").write_text("name,label,then\nnone,ＨＡＭ,outcome 垃圾\n", encoding="utf-8")
    words = {"ham": ["ham", " ham\u3000", "ＨＡＭ", "h\u200bam"], "spam": ["spam", "垃圾"]}
    lines = ["留言,类别,Channel,ＡＭＯＵＮＴ"]
    for i, (text, label) in enumerate(texts(200, 11)):
        lines.append(f'{text},{words[label][i % len(words[label])]},{["web", "ＷＥＢ", "Vip"][i % 3]},"1,{i:03}.50"')
    (tmp_path / "fresh.csv").write_text("\n".join(lines), encoding="utf-8")
    done = amend(made, tmp_path / "new.csv", tmp_path / "fresh.csv", tmp_path / "out", threads=1)
    assert done.certificate.rows == 200 and done.certificate.certified
    assert done.release.info.labels_read_as == made.info.labels_read_as
    (rule,) = load_policy(done.release).rules.rules  # type: ignore[union-attr]
    assert rule.then == Then("outcome", "spam")


def test_a_workbook_certifies_too(release: Release, tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.active.append(["Text", "Label", "channel", "amount"])
    for text, label in texts(60, 12):
        book.active.append([text, label, "web", 3])
    book.save(tmp_path / "fresh.xlsx")
    (tmp_path / "new.csv").write_text(RULES, encoding="utf-8")
    assert amend(release, tmp_path / "new.csv", tmp_path / "fresh.xlsx", tmp_path / "out", threads=1).rows == 60


def test_all_rows_that_do_not_fit_are_told_at_once(release: Release, tmp_path: Path) -> None:
    (tmp_path / "new.csv").write_text(RULES, encoding="utf-8")
    (tmp_path / "fresh.csv").write_text("text,label,amount\na,HAM,1\nb,ham,x\nc,,1\nd,ham,1\n", encoding="utf-8")
    with pytest.raises(DataError) as caught:
        amend(release, tmp_path / "new.csv", tmp_path / "fresh.csv", tmp_path / "out", threads=1)
    for words in (
        "3 rows cannot be read",
        "row 2: unknown label 'HAM'",
        "row 3: the field `amount` is `x`",
        "row 4: no label",
    ):
        assert words in str(caught.value)
    assert "did you mean `ham`?" in str(caught.value)


def test_columns_that_could_mean_two_are_refused_once(release: Release, tmp_path: Path) -> None:
    (tmp_path / "new.csv").write_text(RULES, encoding="utf-8")
    (tmp_path / "fresh.csv").write_text("TEXT,Text,label\na,b,ham\n", encoding="utf-8")
    with pytest.raises(UsageError, match="`text` could be `TEXT` and `Text`"):
        amend(release, tmp_path / "new.csv", tmp_path / "fresh.csv", tmp_path / "out", threads=1)


def with_columns(path: Path, more: Callable[[int, dict[str, str]], dict[str, str]]) -> Path:
    with path.open(encoding="utf-8", newline="") as file:
        rows = [row | more(place, row) for place, row in enumerate(csv.DictReader(file))]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


class Said:
    """A progress that keeps what it was told."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def start(self, name: str, total: int | None) -> None: ...
    def advance(self, count: int = 1, note: str = "") -> None: ...

    def say(self, text: str) -> None:
        self.lines.append(text)


def test_rows_out_of_operation_are_weighted_by_how_they_were_drawn(release: Release, tmp_path: Path) -> None:
    rules = tmp_path / "new.csv"
    rules.write_text(RULES, encoding="utf-8")

    def drawn(place: int, row: dict[str, str]) -> dict[str, str]:
        # One in ten is always reviewed, the others are audited with 0.1; ten were not drawn, five are not judged.
        route, share = "automatic" if place < 10 else "review", "1" if place % 10 == 0 and place else "0.1"
        return {"route": route, "drawn": share, "label": "" if place < 15 else row["label"]}

    data = with_columns(write_csv(tmp_path / "decisions.csv", texts(600, 6)), drawn)
    said = Said()
    done = amend(release, rules, data, tmp_path / "out", threads=1, progress=said)  # type: ignore[arg-type]
    certificate = done.certificate
    assert (done.rows, certificate.rows, certificate.weighted, certificate.certified) == (585, 585, True, True)
    assert "5 drawn rows have no verdict: the certificate holds if they are like the others" in said.lines
    assert certificate.error is not None and certificate.high is not None
    assert certificate.error < certificate.high <= 0.1
    assert all(step.p_value > 0.9**step.automated for step in certificate.steps)  # dearer than rows drawn alike
    assert read_certificate(done.release) == certificate

    heading, _, rows = data.read_text(encoding="utf-8").partition("\n")
    names = {"text": "文本", "label": "结论", "drawn": "抽中概率"}
    same = tmp_path / "zh.csv"
    same.write_text(",".join(names.get(each, each) for each in heading.split(",")) + "\n" + rows, encoding="utf-8")
    columns = Columns("text", "verdict")
    again = amend(release, rules, same, tmp_path / "zh", columns=columns, threads=1)
    assert again.certificate == certificate
    alike = with_columns(write_csv(tmp_path / "alike.csv", texts(300, 7)), lambda *_: {"drawn": "0.01"})
    assert not amend(release, rules, alike, tmp_path / "alike", threads=1).certificate.weighted


def test_the_same_rows_certify_another_promise_at_half_the_level(release: Release, tmp_path: Path) -> None:
    data = write_csv(tmp_path / "rows.csv", texts(300, 12))
    found = []
    for number, written in enumerate((RULES, RULES.replace("lunch", "dinner"), RULES)):
        (rules := tmp_path / f"r{number}.csv").write_text(written, encoding="utf-8")
        found.append(amend(release, rules, data, tmp_path / f"out{number}", threads=1).certificate)
    assert [one.confidence for one in found] == [0.95, 0.975, 0.95]
    assert [len(one.openings) for one in found] == [0, 1, 0]


def test_rows_that_a_release_selected_are_warned_of(release: Release, tmp_path: Path) -> None:
    rules, said = tmp_path / "new.csv", Said()
    rules.write_text(RULES, encoding="utf-8")
    more = {"outcome": "spam", "reason": "below_threshold", "verdict": "spam"}
    data = with_columns(write_csv(tmp_path / "reviewed.csv", texts(200, 8)), lambda *_: more)
    amend(release, rules, data, tmp_path / "out", threads=1, progress=said)  # type: ignore[arg-type]
    assert any(line.startswith("a release selected these rows, because it was unsure of them;") for line in said.lines)


def test_an_impossible_probability_is_refused_with_its_row(release: Release, tmp_path: Path) -> None:
    rules = tmp_path / "new.csv"
    rules.write_text(RULES, encoding="utf-8")
    data = with_columns(
        write_csv(tmp_path / "rows.csv", texts(20, 9)), lambda place, _: {"drawn": "1.5" if place == 3 else "1"}
    )
    with pytest.raises(DataError, match=r"'1\.5' is no probability"):
        amend(release, rules, data, tmp_path / "out", threads=1)


def test_fresh_rows_are_tested_at_the_full_level_again(release: Release, tmp_path: Path) -> None:
    # `make` opened its rows for the second time, at half the level; those of `amend` were never opened.
    old = read_certificate(release).model_copy(update={"confidence": 0.975})
    with sealed_folder(tmp_path / "half") as inside:
        shutil.copytree(release.folder, inside, dirs_exist_ok=True)
        (inside / MANIFEST).unlink()
        (inside / "certificate.json").write_bytes(canonical_json(old.model_dump(mode="json")))
    (tmp_path / "new.csv").write_text(RULES, encoding="utf-8")
    data = write_csv(tmp_path / "fresh.csv", texts(300, 5))
    done = amend(open_release(tmp_path / "half"), tmp_path / "new.csv", data, tmp_path / "out", threads=1)
    assert done.certificate.confidence == 0.95 and done.certificate.openings == ()
    same = amend(release, tmp_path / "new.csv", data, tmp_path / "other", threads=1)
    assert done.certificate.steps == same.certificate.steps


def test_reviewed_cases_prove_nothing_of_automatic_ones_that_nobody_looked_at(release: Release, tmp_path: Path) -> None:
    rules = tmp_path / "new.csv"
    rules.write_text(RULES, encoding="utf-8")

    def decided(share: str) -> Path:
        def columns(place: int, row: dict[str, str]) -> dict[str, str]:
            reviewed = place < 300
            more = {"route": "review" if reviewed else "automatic", "drawn": "1" if reviewed else share}
            return more | {"label": row["label"] if reviewed else ""}

        return with_columns(write_csv(tmp_path / f"decisions-{share}.csv", texts(600, 21)), columns)

    certificate = amend(release, rules, decided("0.01"), tmp_path / "out", threads=1).certificate
    assert certificate.rows == 300 and certificate.weighted and not certificate.certified
    with pytest.raises(DataError, match="no chance of being looked at"):
        amend(release, rules, decided("0"), tmp_path / "never", threads=1)


@pytest.mark.parametrize(
    ("header", "time"),
    [("收件时间,time", "2026-01-05"), ("received,time", "2026-02-03"), ("a,b", None)],
)
def test_the_time_of_a_row_is_in_the_column_of_the_recipe_else_in_one_named_time(
    release: Release, tmp_path: Path, header: str, time: str | None
) -> None:
    (tmp_path / "fresh.csv").write_text(f"text,label,{header}\nhi,ham,2026/1/5,2026-02-03\n", encoding="utf-8")
    info = release.info.model_copy(update={"columns": {"text": "text", "label": "label", "time": "收件时间"}})
    schema, notes = FactSchema(("ham", "spam"), {"time": "date"}), list[str]()

    class Said(Silent):
        def say(self, line: str) -> None:
            notes.append(line)

    made = dataclasses.replace(release, info=info)
    (row,), _ = module._labelled_rows(tmp_path / "fresh.csv", Columns(), made, schema, Said())
    assert row.fields["time"] == time
    assert ("no row has a time in the column `收件时间`: each counts in every period" in notes) == (time is None)


def test_a_release_gets_a_time_zone_and_loses_it_again(release: Release, tmp_path: Path) -> None:
    rules, data = tmp_path / "new.csv", write_csv(tmp_path / "fresh.csv", texts(120, 5))
    rules.write_text("name,text,then,valid_from\nprize,contains prize,review,2026-12-01\n", encoding="utf-8")
    before = verify(release.folder)
    plain = amend(release, rules, data, tmp_path / "plain", threads=1)
    zoned = amend(release, rules, data, tmp_path / "zoned", columns=Columns(time_zone="Asia/Shanghai"), threads=1)
    kept = amend(zoned.release, rules, write_csv(tmp_path / "a.csv", texts(90, 6)), tmp_path / "kept", threads=1)
    back = amend(
        zoned.release,
        rules,
        write_csv(tmp_path / "b.csv", texts(90, 7)),
        tmp_path / "b",
        columns=Columns(time_zone="UTC"),
    )
    assert verify(release.folder) == before
    made = [load_policy(each.release).spec for each in (plain, zoned, kept, back)]
    assert [(spec.format, spec.time_zone.name) for spec in made] == [
        (4, "UTC"), (5, "Asia/Shanghai"), (5, "Asia/Shanghai"), (4, "UTC"),
    ]  # fmt: skip
    written = json.loads((zoned.release.folder / "policy" / "policy.json").read_bytes())
    assert written["time_zone"]["name"] == "Asia/Shanghai" and [
        ahead for start, ahead in written["time_zone"]["offsets"][-1:]
    ] == [28800]
    assert {each.time_zone for each in zoned.certificate.periods} == {"Asia/Shanghai"}
    # One in the morning of the first of December in Shanghai.
    facts = Decider(zoned.release, threads=1).decide([Request("a prize", {"channel": "web"})])[0].decision.facts
    clock = {**facts, "clock": "2026-11-30T17:00:00.000000Z"}
    fired = [load_policy(each.release).decide("x", clock).fired for each in (plain, zoned)]
    assert fired == [(), ("prize",)]


def test_a_zone_that_is_not_known_is_refused_with_what_to_write(release: Release, tmp_path: Path) -> None:
    rules, data = tmp_path / "new.csv", write_csv(tmp_path / "fresh.csv", texts(20, 5))
    rules.write_text(RULES, encoding="utf-8")
    with pytest.raises(UsageError, match="unknown zone `Beijing`") as caught:
        amend(release, rules, data, tmp_path / "out", columns=Columns(time_zone="Beijing"))
    assert caught.value.fix == "write `Asia/Shanghai`" and not (tmp_path / "out").exists()
