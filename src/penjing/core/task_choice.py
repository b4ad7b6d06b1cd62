"""The part `task:` of a recipe: what is predicted, by the name of a task and its options."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from penjing.core.yaml_file import as_text


class TaskChoice(BaseModel):
    """What is predicted: the name of the task, and its options."""

    model_config = ConfigDict(frozen=True, extra="allow")

    type: str = Field("classify", description="name of the task; docs/tasks.md describes each")

    def options(self) -> dict[str, Any]:
        """The keys other than `type`; the task itself checks them."""
        return dict(self.model_extra or {})

    def label_columns(self) -> dict[str, str]:
        """The column of the labels of each of several tasks, by its name; none where `task:` is one."""
        several = self.options().get("tasks")
        if not isinstance(several, dict):
            return {}
        named = {name: each.get("label", name) if isinstance(each, dict) else name for name, each in several.items()}
        return {name: str(as_text(column)) for name, column in named.items()}
