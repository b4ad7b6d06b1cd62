"""Which releases may share a process: those of one base, each with a name of its own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.serve.tenant_releases import made_tenant, sealed

from penjing.core.errors import UsageError
from penjing.core.nouns import Release
from penjing.serve.shared_engines import check_one_base


def test_releases_without_a_common_base_are_refused(
    tenants: list[Release], tiny_release: Release, tiny_base: Path, tmp_path: Path, penjing: Any
) -> None:
    check_one_base(tenants)
    check_one_base([tiny_release, *tenants])
    check_one_base([tiny_release])
    card = tenants[0].artifact.card.model_copy(update={"form": "onnx"})
    alone = replace(tenants[0], artifact=replace(tenants[0].artifact, card=card))
    with pytest.raises(UsageError, match="has a model of form `onnx`, which shares no base"):
        check_one_base([tenants[1], alone])
    with pytest.raises(UsageError, match="two of the releases have the name `desk`"):
        check_one_base([tenants[0], tenants[0]])
    upper = replace(tenants[1], info=tenants[1].info.model_copy(update={"name": "DESK"}))
    with pytest.raises(UsageError, match="the names `desk` and `DESK` differ in case alone"):
        check_one_base([tenants[0], upper])
    other = sealed(made_tenant(tiny_base, tmp_path, 0, rank=16), tmp_path, "other")
    with pytest.raises(UsageError, match="`desk` and `other` have different bases"):
        check_one_base([tenants[0], other])
    ran = penjing("serve", tenants[0].folder, other.folder, "--port", 0)
    assert (ran.code, ran.out) == (2, "")
    assert "have different bases" in ran.err
