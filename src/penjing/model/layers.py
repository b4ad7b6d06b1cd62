"""An encoder cut in two: a lower part that does not change and runs once, and top layers that are trained.

Activations below the trained layers do not change during training, so they are computed once for all epochs and all
learning rates. Source: Brock, Lim, Ritchie, Weston, FreezeOut, 2017; Liu, Agarwal, Venkataraman, AutoFreeze,
2021. The encoder's layers must pass on only their hidden states, with no norm after the last layer.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence

import torch
from torch import nn

from penjing.core.errors import UsageError
from penjing.core.nouns import Artifact
from penjing.model.base import config_of
from penjing.model.encoder import HEADS, Classifier
from penjing.model.heads import mean_pool, read_out
from penjing.model.inserted import keep_inserted
from penjing.model.prefix import keep_columns
from penjing.model.prompt import PROMPT, check_no_prompt, prompt_length

# Family -> path of its layers. All are post-norm as BERT is, so that a slice of layers is an encoder.
FAMILIES = {
    "bert": "encoder.layer",
    "roberta": "encoder.layer",
    "xlm-roberta": "encoder.layer",
    "camembert": "encoder.layer",
    "electra": "encoder.layer",
    "ernie": "encoder.layer",
    "distilbert": "transformer.layer",
}


class Lower(nn.Module):
    """Embeddings and the layers below the top `count`: (input_ids, attention_mask) -> (batch, tokens, hidden)."""

    def __init__(self, classifier: Classifier, count: int) -> None:
        super().__init__()
        total = len(layers_of(classifier.encoder))
        _check_can_be_cut(classifier.encoder)
        self.encoder = _with_layers(classifier.encoder, range(total - count))

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        hidden: torch.Tensor = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        return hidden


class Upper(nn.Module):
    """The top `count` layers and the head, sharing the classifier's parameters: (hidden, attention_mask) -> outputs."""

    def __init__(self, classifier: Classifier, count: int) -> None:
        super().__init__()
        total = len(layers_of(classifier.encoder))
        self.encoder = _with_layers(classifier.encoder, range(total - count, total))
        self.encoder.embeddings = _PassOn()
        # ELECTRA widens its embeddings before the first layer; the hidden states given here are wide already.
        self.encoder._modules.pop("embeddings_project", None)
        self.dropout, self.head = classifier.dropout, classifier.head

    def forward(self, hidden: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor | dict[str, torch.Tensor]:
        top = self.encoder(inputs_embeds=hidden, attention_mask=attention_mask).last_hidden_state
        return read_out(self.head, self.dropout, top, attention_mask)


class Stage(nn.Module):
    """Layers `first` to below `end` with a head of its own: (ids or hidden, attention_mask) -> (logits, hidden)."""

    def __init__(self, classifier: Classifier, first: int, end: int, head: nn.Module) -> None:
        super().__init__()
        self.encoder = _with_layers(classifier.encoder, range(first, end))
        self.given = "input_ids"
        if first:
            self.given = "inputs_embeds"
            self.encoder.embeddings = _PassOn()
            self.encoder._modules.pop("embeddings_project", None)
        self.head = head

    def forward(self, given: torch.Tensor, attention_mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        hidden = self.encoder(**{self.given: given, "attention_mask": attention_mask}).last_hidden_state
        return self.head(mean_pool(hidden, attention_mask)), hidden


def keep_layers(classifier: Classifier, kept: Sequence[int]) -> Classifier:
    """A classifier with only those layers, in that order; it shares its parameters with the one given.

    Raises UsageError for a family whose layers cannot be cut.
    """
    encoder = _with_layers(classifier.encoder, kept)
    encoder.config = copy.deepcopy(classifier.encoder.config)
    encoder.config.num_hidden_layers = len(kept)  # type: ignore[union-attr]
    heads = getattr(encoder.config, HEADS, None)
    if heads:
        setattr(encoder.config, HEADS, [heads[place] for place in kept])
    keep_inserted(encoder.config, kept)
    small = copy.copy(classifier)
    small._modules = dict(classifier._modules)
    small.encoder = encoder
    return small


def neurons_of(layer: nn.Module) -> tuple[nn.Linear, nn.Linear]:
    """A layer's feed-forward part: the matrix into its neurons and the one out of them.

    Raises UsageError for a family where they have other names.
    """
    return _linear(layer, "intermediate.dense"), _linear(layer, "output.dense")


def heads_of(layer: nn.Module) -> tuple[int, list[nn.Linear], nn.Linear]:
    """A layer's attention: dimensions of a head, the matrices into its heads and the one out of them.

    Raises UsageError for a family where they have other names.
    """
    into = [_linear(layer, f"attention.self.{name}") for name in ("query", "key", "value")]
    return int(layer.attention.self.attention_head_size), into, _linear(layer, "attention.output.dense")  # type: ignore[union-attr, arg-type]


def keep_neurons(classifier: Classifier, kept: Sequence[Sequence[int]]) -> Classifier:
    """A classifier of its own with only those feed-forward neurons of each layer, equally many in all."""
    small = copy.deepcopy(classifier)
    for layer, places in zip(layers_of(small.encoder), kept, strict=True):
        into, out = neurons_of(layer)
        _keep_rows(into, places)
        _keep_columns(out, places)
    small.encoder.config.intermediate_size = len(kept[0])  # type: ignore[union-attr]
    return small


def keep_heads(classifier: Classifier, kept: Sequence[Sequence[int]]) -> Classifier:
    """A classifier of its own with only those attention heads of each layer, at least one in each.

    The number of heads of each layer is stored in the configuration under `HEADS`. With this key `load_encoder` takes
    the shapes from the stored weights.
    """
    small = copy.deepcopy(classifier)
    for layer, places in zip(layers_of(small.encoder), kept, strict=True):
        size, into, out = heads_of(layer)
        rows = [place * size + offset for place in places for offset in range(size)]
        for matrix in into:
            _keep_rows(matrix, rows)
        _keep_columns(out, rows)
        keep_columns(layer.attention.self, rows)  # type: ignore[union-attr]
    setattr(small.encoder.config, HEADS, [len(places) for places in kept])
    return small


def _linear(layer: nn.Module, path: str) -> nn.Linear:
    try:
        found = layer.get_submodule(path)
    except AttributeError:
        found = None
    if not isinstance(found, nn.Linear):
        raise UsageError(
            f"the layers of this encoder have no `{path}`",
            fix="give a BERT, RoBERTa, XLM-RoBERTa, CamemBERT, ELECTRA or ERNIE, or leave the step out",
        )
    return found


def _keep_rows(matrix: nn.Linear, places: Sequence[int]) -> None:
    index = torch.tensor(list(places))
    with torch.no_grad():
        matrix.weight, matrix.bias = nn.Parameter(matrix.weight[index]), nn.Parameter(matrix.bias[index])
    matrix.out_features = len(places)


def _keep_columns(matrix: nn.Linear, places: Sequence[int]) -> None:
    with torch.no_grad():
        matrix.weight = nn.Parameter(matrix.weight[:, torch.tensor(list(places))].contiguous())
    matrix.in_features = len(places)


class _PassOn(nn.Module):
    """Replaces the embeddings of an encoder, and returns the hidden states that it is given."""

    def forward(
        self, _input_ids: None = None, inputs_embeds: torch.Tensor | None = None, *_: object, **__: object
    ) -> torch.Tensor | None:
        return inputs_embeds


def layers_of(encoder: nn.Module) -> nn.ModuleList:
    """The encoder's layers. Raises UsageError for a family whose layers cannot be cut."""
    family = str(encoder.config.model_type)  # type: ignore[union-attr]
    if family not in FAMILIES:
        raise UsageError(
            f"the layers of a `{family}` cannot be trained apart",
            fix="set `layers: all`; known here are " + ", ".join(FAMILIES),
        )
    layers = encoder.get_submodule(FAMILIES[family])
    assert isinstance(layers, nn.ModuleList)
    return layers


def can_be_cut(artifact: Artifact) -> bool:
    """Whether the top layers of this base or torch artifact can be trained without those below them."""
    config = config_of(artifact)
    return config.get("model_type") in FAMILIES and not config.get(PROMPT)


def _check_can_be_cut(encoder: nn.Module) -> None:
    what = "its layers are trained together, because the prompt is below all of them"
    check_no_prompt(prompt_length(encoder.config), what, "set `layers: all`")


def _with_layers(encoder: nn.Module, kept: Sequence[int]) -> nn.Module:
    """A view of the encoder that has only those layers; parameters are shared, the original is left as it is."""
    path, _, last = FAMILIES[encoder.config.model_type].rpartition(".")  # type: ignore[union-attr, index]
    view = _shallow(encoder)
    stack = _shallow(encoder.get_submodule(path))
    setattr(stack, last, nn.ModuleList(layers_of(encoder)[place] for place in kept))
    setattr(view, path, stack)
    return view


def _shallow(module: nn.Module) -> nn.Module:
    twin = copy.copy(module)
    twin._modules = dict(module._modules)
    return twin
