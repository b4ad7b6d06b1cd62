"""The contract of a task whose answers are sets, certified label by label."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from penjing.core.task import ApartTask


@runtime_checkable
class LabelwiseTask(ApartTask, Protocol):
    """A task of sets with two scopes for each label: where the label is given, and where it is not."""

    @property
    def labels(self) -> tuple[str, ...]: ...

    @property
    def empty(self) -> str:
        """The scope of an answer without any label."""

    def sides(self, label: str) -> tuple[str, str]:
        """The scopes of a label: given, not given."""

    def members(self, gold: str) -> tuple[str, ...]:
        """The labels of gold or of an outcome."""
