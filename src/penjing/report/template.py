"""Fills a template of this package: HTML in which every text is escaped, with the style sheet in it."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from penjing.core.errors import MissingPackageError


def fill_template(name: str, values: Mapping[str, Any], drawn: Mapping[str, str] | None = None) -> str:
    """The page of the template of that name. drawn: charts by name, as SVG that has escaped its own texts.

    Raises MissingPackageError without jinja2, which comes with `penjing[train]`.
    """
    try:
        from jinja2 import Environment, FunctionLoader, StrictUndefined
        from markupsafe import Markup
    except ModuleNotFoundError:
        raise MissingPackageError(
            "the report page needs the package `jinja2`",
            fix="install the packages for training: pip install 'penjing[train]'",
        ) from None
    environment = Environment(
        loader=FunctionLoader(_read), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    charts = {name: Markup(svg) for name, svg in (drawn or {}).items()}
    return environment.get_template(name).render(style=Markup(_read("report.css")), charts=charts, **values)


def _read(name: str) -> str:
    return files("penjing.report").joinpath("templates").joinpath(name).read_text(encoding="utf-8")
