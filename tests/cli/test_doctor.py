"""The doctor tells what is there, without loading what is heavy."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from penjing.cli import doctor
from penjing.store.audit_key import read_audit_key


def test_it_tells_machine_and_packages(penjing: Callable[..., Any]) -> None:
    ran = penjing("doctor")
    assert ran.code == 0
    for word in ("python", "cpu", "INT8", "memory", "disk", "gpu", "sqlite", "fonts", "extra", "packages", "can"):
        assert word in ran.out


def test_json_has_what_a_script_asks(penjing: Callable[..., Any]) -> None:
    found = json.loads(penjing("doctor", "--json").out)
    assert found["packages"]["penjing"] and found["packages"]["onnxruntime"]
    assert (
        found["cpu"]["cores"] >= 1 and isinstance(found["cpu"]["vnni"], bool) and isinstance(found["cpu"]["amx"], bool)
    )
    assert found["disk"]["free_gb"] > 0
    assert found["sqlite"]["version"][0] == "3"
    assert set(found["can"]) == {"serve", "serve on OpenVINO", "make", "demo"}


def test_it_loads_neither_torch_nor_an_engine() -> None:
    script = """
        import sys
        from penjing.cli.doctor import examine

        examine()
        heavy = {"torch", "transformers", "openvino", "onnxruntime", "polars", "sklearn", "matplotlib"}
        print(sorted(heavy & set(sys.modules)))
    """
    ran = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch, penjing: Callable[..., Any]) -> None:
    monkeypatch.setattr(doctor, "_has", lambda name: name not in {"torch", "nncf"})
    found = doctor.examine()
    assert found["extras"]["train"]["missing"] == ["torch", "nncf"]
    assert found["can"]["serve"] and not found["can"]["make"]
    assert "missing torch, nncf" in penjing("doctor").out


def test_a_cpu_without_int8_is_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    from penjing.core import machine

    monkeypatch.setattr(machine, "cpu_flags", lambda: frozenset({"avx2"}))
    assert any("no INT8 dot product" in line for line in doctor.examine()["warnings"])


def test_it_tells_the_key_of_audits_by_its_fingerprint(
    penjing: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert json.loads(penjing("doctor", "--json").out)["audit_key"] is None
    file = tmp_path / "audit.key"
    file.write_text("k" * 64, encoding="utf-8")
    file.chmod(0o644)
    monkeypatch.setenv("PENJING_AUDIT_KEY", str(file))
    assert f"! {file}: others can read or change the audit key (mode 644)" in penjing("doctor").out
    file.chmod(0o600)
    found = json.loads(penjing("doctor", "--json").out)["audit_key"]
    assert found == {"file": str(file), "fingerprint": read_audit_key(str(file)).fingerprint}
    assert f"audits    drawn by the key {found['fingerprint']}, from {file}" in penjing("doctor").out
