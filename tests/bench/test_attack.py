"""The attacks on the service in their short form: one service for each, a few seconds, all held."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

BENCH = Path(__file__).parents[2] / "bench"
SHORT = ("large heads", "upgrades", "smuggling", "refused bodies")


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """bench/attack.py, with the modules beside it."""
    monkeypatch.syspath_prepend(str(BENCH))
    yield importlib.import_module("attack")
    for name in ("attack", "attack_target", "attack_http", "attack_store", "attack_load", "raw_http", "load_client"):
        sys.modules.pop(name, None)


@pytest.mark.whole
@pytest.mark.parametrize("name", SHORT)
def test_the_service_holds(bench: Any, tiny_release: Any, tmp_path: Path, name: str) -> None:
    verdict = bench.attempt(name, bench.attacks()[name], tiny_release.folder, tmp_path / "x")
    assert verdict.held, verdict.said


def test_what_broke_is_printed_and_ends_with_4(
    bench: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def failing(_release: Path, _folder: Path) -> Any:
        raise OSError("no route")

    made = {"one": lambda *_: bench.Verdict(True, "as it\nshould"), "two": failing}
    monkeypatch.setattr(bench, "attacks", lambda: made)
    given = ["--release", str(tmp_path), "--folder", str(tmp_path), "--results", str(tmp_path / "found.json")]
    monkeypatch.setattr(sys, "argv", ["attack.py", *given])
    with pytest.raises(SystemExit) as ended:
        bench.main()
    lines = capsys.readouterr().out.splitlines()
    assert ended.value.code == bench.BROKEN == 4
    assert lines[0].startswith("held    one: as it should (")
    assert lines[1].startswith("broken  two: the attack itself failed: OSError('no route') (")
    assert lines[2] == "1 held, 1 broken"
    found = json.loads((tmp_path / "found.json").read_text(encoding="utf-8"))
    assert (found["held"], found["broken"]) == (1, 1)
    assert found["attacks"]["one"] == {"held": True, "said": "as it should"}
    monkeypatch.setattr(sys, "argv", ["attack.py", "--release", str(tmp_path), "--only", "one"])
    with pytest.raises(SystemExit) as ended:
        bench.main()
    assert ended.value.code == 0
    monkeypatch.setattr(sys, "argv", ["attack.py", "--release", str(tmp_path), "--only", "three"])
    with pytest.raises(SystemExit, match="there are: one, two"):
        bench.main()


def test_every_attack_has_a_name_of_its_own_and_says_what_it_does(bench: Any) -> None:
    modules = [importlib.import_module(name) for name in bench.MODULES if (BENCH / f"{name}.py").exists()]
    assert len(bench.attacks()) == sum(len(module.ATTACKS) for module in modules)
    assert all(attack.__doc__ for attack in bench.attacks().values())
    assert set(SHORT) <= set(bench.attacks())
