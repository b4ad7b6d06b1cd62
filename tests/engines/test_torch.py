"""The torch engine gives the classifier's own logits, from any thread and with the threads that it was given."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch

from penjing.core.nouns import Artifact
from penjing.engines.torch import TorchEngine
from penjing.model.encoder import load_classifier

TEXTS = ["房间很干净", "good", "服务员态度也好下次还会再来住", "bad slow late"]


def test_logits_are_the_classifiers(torch_artifact: Artifact) -> None:
    engine = TorchEngine.load(torch_artifact, 1)
    rows = engine.encode(TEXTS)
    ids, mask = map(torch.from_numpy, engine.tokens.pad(rows))
    with torch.inference_mode():
        wanted = load_classifier(torch_artifact).eval()(ids, mask).numpy()
    np.testing.assert_allclose(engine.run(rows)["label"], wanted, atol=1e-6)


def test_calls_from_several_threads_take_turns_and_agree(torch_artifact: Artifact) -> None:
    engine = TorchEngine.load(torch_artifact, 1)
    rows = engine.encode(TEXTS)
    wanted = engine.run(rows)["label"]
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(lambda _: engine.run(rows)["label"], range(20)):
            np.testing.assert_array_equal(found, wanted)


def test_each_engine_runs_with_its_own_number_of_threads(torch_artifact: Artifact) -> None:
    before = torch.get_num_threads()
    try:
        one, two = TorchEngine.load(torch_artifact, 1), TorchEngine.load(torch_artifact, 2)
        for engine, count in ((one, 1), (two, 2), (one, 1)):
            engine.run(engine.encode(TEXTS))["label"]
            assert torch.get_num_threads() == count
            assert engine.fingerprint()["threads"] == str(count)
    finally:
        torch.set_num_threads(before)
