"""A smaller table, the same answers where they are clear; alone, and before INT8."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest

from penjing.compress import export, int8
from penjing.compress.embeddings import Options, apply
from penjing.core import machine
from penjing.core.errors import UsageError
from penjing.core.nouns import Artifact, Inputs, Run
from penjing.runtime.open import open_session


def run(folder: Path) -> Run:
    return Run(out=folder / "out", scratch=folder / "scratch", threads=1)


def weights(made: Artifact) -> dict[str, int]:
    """Bytes of each stored weight."""
    graph = onnx.load(made.folder / "model.onnx").graph
    return {one.name: len(one.raw_data) for one in graph.initializer}


def table_bytes(made: Artifact) -> int:
    return sum(size for name, size in weights(made).items() if "word_embeddings" in name)


def test_rows_in_few_bits_give_nearly_the_same_logits(inputs: Inputs, tmp_path: Path) -> None:
    whole = export.apply(inputs, export.Options(engine="onnx"), run(tmp_path / "whole"))
    texts = inputs.validation.texts
    wanted = open_session(whole, threads=1).logits(texts)
    near = []
    for bits in (8, 4):
        made = apply(inputs, Options.model_validate({"bits": bits}), run(tmp_path / str(bits)))
        found = open_session(made, threads=1).logits(texts)
        near.append(float(np.abs(found - wanted).max() / np.abs(wanted).max()))
        assert made.card.embedding_bits == bits and made.card.precision == "float32"
        assert made.card.metrics["validation_agreement"] >= 0.9
        # So small a table is in float32 by `compress.export`.
        assert table_bytes(made) <= table_bytes(whole) * bits / 32 * 1.3
    # Rows drawn at random bear four bits worse than learnt ones.
    assert 0 < near[0] < 0.05 and near[0] < near[1] < 0.7


def test_int8_after_it_keeps_the_four_bits(inputs: Inputs, tmp_path: Path) -> None:
    small = apply(inputs, Options(), run(tmp_path / "small"))
    assert inputs.parent is not None
    both = int8.apply(replace(inputs, parent=small), int8.Options(engine="onnx"), run(tmp_path / "both"))
    alone = int8.apply(inputs, int8.Options(engine="onnx"), run(tmp_path / "alone"))
    operators = {node.op_type for node in onnx.load(both.folder / "model.onnx").graph.node}
    assert {"GatherBlockQuantized", "MatMulInteger"} <= operators
    assert table_bytes(both) < table_bytes(alone)
    texts = inputs.validation.texts
    found, wanted = (open_session(each, threads=1).logits(texts).argmax(axis=1) for each in (both, alone))
    assert (found == wanted).mean() >= 0.9
    assert both.card.embedding_bits == 4 and both.card.precision == "int8"


def test_it_is_made_twice_in_the_same_bytes_and_refuses_what_is_small_already(inputs: Inputs, tmp_path: Path) -> None:
    made = apply(inputs, Options(), run(tmp_path / "a"))
    assert apply(inputs, Options(), run(tmp_path / "b")).id == made.id
    done = int8.apply(inputs, int8.Options(engine="onnx"), run(tmp_path / "c"))
    with pytest.raises(UsageError, match="INT8 already"):
        apply(replace(inputs, parent=done), Options(), run(tmp_path / "d"))
    with pytest.raises(UsageError, match="in 4 bits already"):
        apply(replace(inputs, parent=made), Options(), run(tmp_path / "e"))


def test_what_follows_stays_in_onnx_runtime(inputs: Inputs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    behind = replace(inputs, parent=apply(inputs, Options(), run(tmp_path / "small")))
    # On a CPU with VNNI `auto` is OpenVINO elsewhere.
    monkeypatch.setattr(machine, "int8_instructions", lambda: ("avx512_vnni",))
    assert int8.apply(behind, int8.Options(), run(tmp_path / "auto")).card.form == "onnx"
    with pytest.raises(UsageError, match="OpenVINO cannot read"):
        int8.apply(behind, int8.Options(engine="openvino"), run(tmp_path / "a"))
    with pytest.raises(UsageError, match="OpenVINO cannot read"):
        export.apply(behind, export.Options(engine="openvino"), run(tmp_path / "b"))
    with pytest.raises(UsageError, match="static scales cannot be fixed"):
        int8.apply(behind, int8.Options(scales="static"), run(tmp_path / "c"))
