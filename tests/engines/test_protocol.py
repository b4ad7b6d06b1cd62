"""The fingerprint that every engine gives."""

from __future__ import annotations

import pytest

from penjing.core.machine import instruction_set
from penjing.core.nouns import Artifact
from penjing.engines.protocol import fingerprint
from penjing.runtime.open import open_engine


def test_a_fingerprint_has_four_facts() -> None:
    found = fingerprint("onnx", "1.2", 3)
    assert found == {"engine": "onnx", "version": "1.2", "instruction_set": instruction_set(), "threads": "3"}


@pytest.mark.parametrize("form", ("torch", "onnx", "openvino"))
def test_a_fingerprint_names_all_that_bits_depend_on(artifacts: dict[str, Artifact], form: str) -> None:
    found = open_engine(artifacts[form], threads=1).fingerprint()
    assert found.keys() == {"engine", "version", "instruction_set", "threads"}
    assert found["threads"] == "1" and found["instruction_set"] == instruction_set()
    assert found["version"][0].isdigit()
