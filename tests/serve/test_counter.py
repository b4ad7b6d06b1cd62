"""The Counter runs where torch cannot be imported: a release is opened, decides, explains, records and replays."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

BLOCKED = ("torch", "transformers", "accelerate", "sklearn", "polars", "nncf", "matplotlib", "scipy", "pandas")
ROOMS = (
    "core", "tasks", "text", "engines", "runtime", "measure", "prove", "cases", "decide", "explain", "store", "serve"
)  # fmt: skip
WITH_TORCH = ("penjing.engines.torch", "penjing.engines.export", "penjing.measure.rivals")
SCRIPT = """
import importlib, importlib.abc, pkgutil, sys

class Blocker(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {blocked!r}:
            raise ModuleNotFoundError(f"{{name}} is not part of the Counter", name=name)

sys.meta_path.insert(0, Blocker())
for name in {rooms!r}:
    room = importlib.import_module(f"penjing.{{name}}")
    for found in pkgutil.walk_packages(room.__path__, room.__name__ + "."):
        if ".migrations" not in found.name and found.name not in {torch!r}:
            __import__(found.name)

import asyncio
from pathlib import Path

import pytest
from penjing.core.artifact import open_release
from penjing.serve.service import DecisionService
from penjing.serve.settings import Settings
from penjing.serve.bodies import RequestItem
from penjing.store.database import open_store
from penjing.store.releases import put_in_service

release = open_release(Path({release!r}))
store = open_store({url!r})
put_in_service(store, release)

async def run():
    service = DecisionService(release, store, Settings(threads=1))
    service.open()
    made = await service.decide([RequestItem(text="win cash now, 打13812345678", fields={{"channel": "web"}})], True)
    assert made[0]["fired"] == ["phone"] and made[0]["evidence"], made
    assert (await service.replay(made[0]["id"]))["same"]
    await service.close()

asyncio.run(run())
from penjing.cases.export import export_decisions
from penjing.core.errors import MissingPackageError
from penjing.data.workbook import open_workbook
from penjing.store.records import scan_records
from penjing.store.reviews import import_verdicts

folder, store = Path({url!r}.removeprefix("sqlite:///")).parent, open_store({url!r})
waiting = [record.id for record in scan_records(store) if record.route == "review"]
with open_workbook(folder / "verdicts.xlsx") as book:
    for row in [["id", "verdict"], *([identity, "ham"] for identity in waiting)]:
        book.write(row)
assert import_verdicts(store, folder / "verdicts.xlsx").recorded == len(waiting) == 1
for form in ("csv", "xlsx", "jsonl"):
    assert export_decisions(store, folder / f"out.{{form}}", form) == 1
try:
    export_decisions(store, folder / "out.parquet", "parquet")
except MissingPackageError:
    pass
else:
    raise AssertionError("parquet without polars")
store.close()
sys.argv = ["penjing", "replay", "--all", "--db", {url!r}]
from penjing.cli.main import main
try:
    main()
finally:
    found = sorted({{name.split(".")[0] for name in sys.modules}} & {blocked!r})
    assert not found, found
"""


@pytest.mark.slow
def test_the_counter_runs_without_torch(tiny_release, tmp_path: Path) -> None:
    script = SCRIPT.format(
        blocked=set(BLOCKED),
        rooms=ROOMS,
        torch=WITH_TORCH,
        release=str(tiny_release.folder),
        url=f"sqlite:///{tmp_path / 'counter.db'}",
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=False)
    assert ran.returncode == 0, ran.stderr
    assert '"replayed": 1, "same": 1' in ran.stdout
