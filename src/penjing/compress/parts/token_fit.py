"""How the token and span heads of a smaller base begin: as a linear map from its states to the teacher's outputs.

    minimise over W, b:  sum over the tokens t of |W h_t + b - z_t|^2 + penalty   (compress/parts/ridge)

h_t: states of the smaller base; z_t: the outputs of the teacher for the same token. Both must have the same tokens.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from penjing.compress.parts.ridge import LinearMap, fit_ridge
from penjing.core.nouns import Run
from penjing.core.stop import check_stop
from penjing.model.encoder import Classifier, padding_id
from penjing.model.prompt import run_encoder
from penjing.train.batches import Budget, Ints, pad_ids, sorted_batches
from penjing.train.numerics import repeatable

_BUDGET = Budget(rows=64, tokens=4096)
# So that the states of the widest base stay under 800 MB.
_MOST = 200_000


def fit_token_map(encoder: nn.Module, teacher: Classifier, ids: Sequence[Ints], run: Run) -> LinearMap:
    """The map to the outputs of all heads side by side, from rows of token ids, special tokens included.

    At most 200,000 tokens count: those of the first rows. Raises RunInterruptedError when stopped.
    """
    padding = padding_id(encoder)
    lengths = np.fromiter(map(len, ids), dtype=np.int64, count=len(ids))
    kept = max(1, int(np.searchsorted(np.cumsum(lengths), _MOST, "right")))
    run.progress.start("compress.student: states of both, token by token", kept)
    states, outputs = list[torch.Tensor](), list[torch.Tensor]()
    with repeatable(run.seed, run.threads, run.device), torch.inference_mode():
        for model in (encoder, teacher):
            model.to(run.device)
        for rows in sorted_batches(lengths[:kept], _BUDGET):
            check_stop(run.stop)
            given, mask = (part.to(run.device) for part in pad_ids([ids[row] for row in rows], padding))
            found = teacher(given, mask)
            tables = [found] if isinstance(found, torch.Tensor) else list(found.values())
            outputs.append(torch.cat(tables, dim=2)[mask.bool()].float().cpu())
            states.append(run_encoder(encoder, given, mask)[mask.bool()].float().cpu())
            run.progress.advance(len(rows))
    for model in (encoder, teacher):
        model.cpu()
    return fit_ridge(torch.cat(states).numpy(), torch.cat(outputs).numpy(), run)
