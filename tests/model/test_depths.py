"""How deep each parameter is, of a whole classifier and of its top layers."""

from __future__ import annotations

import pytest
from tests.train.toys import parts

from penjing.core.errors import UsageError
from penjing.model.depths import check_known, depths_of
from penjing.model.fields import WithFields


@pytest.mark.parametrize("fields", [False, True])
@pytest.mark.parametrize(("layers", "wanted"), [("all", [2, 1, 0, 0]), (1, [0, 0])])
def test_layers_are_counted_from_the_top(layers: str | int, wanted: list[int], fields: bool) -> None:
    model = WithFields(parts(layers)[0], 2, [3]) if fields else parts(layers)[0]
    found = depths_of(model, "unfreeze")
    assert set(found) == set(model.parameters())
    places = ["embeddings.", "layer.0.", "layer.1.", "head."] if layers == "all" else ["layer.0.", "head."]
    for place, depth in zip(places, wanted, strict=True):
        assert {found[each] for name, each in model.named_parameters() if place in name} == {depth}


def test_an_unknown_family_is_refused() -> None:
    with pytest.raises(UsageError, match="the layers of a `deberta` are not known") as caught:
        check_known("deberta", "reinit")
    assert caught.value.where == "reinit" and "bert" in (caught.value.fix or "")
