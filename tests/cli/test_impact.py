"""`penjing impact`: what a stricter release would change, counted and named; nothing is recorded by it."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import update

from penjing.store.database import open_store
from penjing.store.records import count_records
from penjing.store.tables import releases


@pytest.fixture
def decided(penjing, tiny_release, tmp_path: Path) -> list[dict]:
    texts = ("win cash now free prize", "明天开会 收到谢谢", "打13812345678", "call me later 晚上一起吃饭")
    rows = "".join(f"{text},web\n" for text in texts)
    (tmp_path / "in.csv").write_text(f"text,channel\n{rows}", encoding="utf-8")
    return penjing("decide", tiny_release.folder, tmp_path / "in.csv").lines


@pytest.mark.usefixtures("decided")
def test_the_same_release_changes_nothing(penjing, tiny_release) -> None:
    ran = penjing("impact", tiny_release.folder)
    assert ran.code == 0, ran.err
    assert ran.out.startswith("this would change 0 of 4 recorded decisions")


def test_a_stricter_release_sends_all_to_review(penjing, tiny_release_maker, decided: list[dict], tmp_path) -> None:
    strict = tiny_release_maker(tmp_path / "made", threshold=1.0)
    found = penjing("impact", strict.folder, "--json").lines[0]
    automatic = {line["id"] for line in decided if line["route"] == "automatic"}
    assert automatic
    assert (found["judged"], found["changed"]) == (4, len(automatic))
    assert {identity for group in found["groups"] for identity in group["ids"]} == automatic
    assert all(group["route"] == ["automatic", "review"] for group in found["groups"])
    assert f"this would change {len(automatic)} of 4" in penjing("impact", strict.folder).out
    store = open_store("sqlite:///penjing.db")
    assert sum(count_records(store).values()) == 4
    store.close()


@pytest.mark.usefixtures("decided")
def test_since_a_day(penjing, tiny_release) -> None:
    assert penjing("impact", tiny_release.folder, "--since", "2999-01-01", "--json").lines[0]["judged"] == 0
    assert penjing("impact", tiny_release.folder, "--since", "2020-01-01", "--json").lines[0]["judged"] == 4
    ran = penjing("impact", tiny_release.folder, "--since", "yesterday")
    assert ran.code == 2
    assert "`yesterday` is not a day" in ran.err


@pytest.mark.usefixtures("decided")
def test_decisions_of_another_service_in_the_same_database_are_counted_only(penjing, tiny_release) -> None:
    store = open_store("sqlite:///penjing.db")
    with store.write() as connection:
        connection.execute(update(releases).values(name="hotline"))
    store.close()
    ran = penjing("impact", tiny_release.folder)
    assert ran.out.startswith("this would change 0 of 0 recorded decisions; 4 could not be judged (another service")
    assert penjing("impact", tiny_release.folder, "--name", "hotline", "--json").lines[0]["judged"] == 4
