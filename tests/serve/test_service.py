"""The service behind the routes: as many engines as were asked for, all deciding alike, every decision recorded."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from penjing.core.artifact import open_release
from penjing.core.canon import canonical_json
from penjing.core.errors import StoreError
from penjing.core.folder import MANIFEST, sealed_folder
from penjing.core.machine import cores
from penjing.core.nouns import Release
from penjing.decide.policy import load_policy
from penjing.measure.workers import WorkerLayout
from penjing.serve.bodies import RequestItem
from penjing.serve.errors import AnswerError
from penjing.serve.service import DecisionService
from penjing.serve.settings import Settings
from penjing.store import sqlite_file
from penjing.store.database import open_store
from penjing.store.releases import put_in_service


def opened(release: Release, folder: Path, **settings: object) -> DecisionService:
    store = open_store(f"sqlite:///{folder / 'service.db'}")
    put_in_service(store, release)
    return DecisionService(release, store, Settings(cache=str(folder / "cache"), **settings))


@pytest.mark.parametrize(
    ("asked", "wanted"),
    [
        ({"threads": 1}, WorkerLayout(1, 1)),
        ({"workers": 3, "threads": 2}, WorkerLayout(3, 2)),
        ({"workers": 2}, WorkerLayout(2, max(1, cores() // 2))),
    ],
)
def test_what_is_asked_for_is_not_measured(
    tiny_release: Release, tmp_path: Path, asked: dict[str, int], wanted: WorkerLayout
) -> None:
    service = opened(tiny_release, tmp_path, **asked)
    assert (service.layout, len(service.deciders)) == (wanted, wanted.workers)
    assert not (tmp_path / "cache").exists()


def test_engines_side_by_side_decide_alike_and_every_decision_is_recorded(
    tiny_release: Release, tmp_path: Path
) -> None:
    texts = [f"win cash {number} now" for number in range(20)]

    async def run(service: DecisionService) -> list[dict[str, object]]:
        service.warm()
        service.open()
        made = await asyncio.gather(
            *(service.decide([RequestItem(text=text, fields={"channel": "web"})], False) for text in texts)
        )
        for (one,) in made:
            assert (await service.replay(one["id"]))["same"]
        await service.close()
        with pytest.raises(AnswerError):
            await service.decide([RequestItem(text="late", fields={"channel": "web"})], False)
        return [one for (one,) in made]

    decided = {}
    for workers in (1, 3):
        folder = tmp_path / str(workers)
        folder.mkdir()
        made = asyncio.run(run(opened(tiny_release, folder, workers=workers, threads=1)))
        decided[workers] = [(one["outcome"], one["route"], one["p"]) for one in made]
    assert decided[1] == decided[3]


def test_it_is_not_ready_where_a_test_write_fits_and_a_decision_may_not(
    tiny_release: Release, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def run(service: DecisionService) -> None:
        service.open()
        assert (await service.ready())["ready"]
        monkeypatch.setattr(sqlite_file, "LEAST_ROOM", 2**80)
        with pytest.raises(StoreError, match="the disk is full"):
            await service.ready()
        await service.close()

    asyncio.run(run(opened(tiny_release, tmp_path, threads=1)))


def test_servers_that_share_a_key_draw_a_case_alike(tiny_release_maker: Callable[..., Release], tmp_path: Path) -> None:
    made = tiny_release_maker(tmp_path / "made", threshold=0.0, audit=0.5)
    with sealed_folder(tmp_path / "newest") as inside:  # a release of an earlier version draws by the id of the record
        shutil.copytree(made.folder, inside, dirs_exist_ok=True)
        (inside / MANIFEST).unlink()
        newest = load_policy(made).spec.newest_rules()
        (inside / "policy" / "policy.json").write_bytes(canonical_json(newest.model_dump(mode="json")))
        (inside / "policy" / "rules.csv").write_text("name,text,then\nx,contains x,review\n", encoding="utf-8")
    release = open_release(tmp_path / "newest")
    (tmp_path / "audit.key").write_text("k" * 64, encoding="utf-8")
    (tmp_path / "audit.key").chmod(0o600)

    async def run(service: DecisionService) -> list[object]:
        service.open()
        asked = [RequestItem(text=f"thanks mum {number}", fields={"channel": "web"}) for number in range(40)]
        decided = await service.decide(asked, False)
        await service.close()
        return [each["reason"] for each in decided]

    reasons = []
    for file in ("", str(tmp_path / "audit.key"), str(tmp_path / "audit.key")):
        folder = tmp_path / f"server-{len(reasons)}"
        folder.mkdir()
        reasons.append(asyncio.run(run(opened(release, folder, threads=1, audit_key=file))))
    assert "audit" in reasons[1] and reasons[1] == reasons[2] != reasons[0]
