"""The part `robustness:` of a recipe: with which noise a release is tested, and how strong it is.

`true` is every kind at its usual strength; a list is those kinds at their usual strength; a mapping gives strengths.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from penjing.core import expected

Strength = Annotated[float, Field(ge=0, le=1), expected.Share()]
# The usual strength of each kind. Case and traditional characters are as a person writes a whole text.
USUAL: Mapping[str, float] = {
    "typos": 0.1,
    "case": 1.0,
    "homophones": 0.1,
    "lookalikes": 0.1,
    "traditional": 1.0,
    "spaces": 0.1,
    "invisible": 0.1,
    "synonyms": 0.2,
}


class Robustness(BaseModel):
    """Noise on test rows; the report shows what it does to score, automation and errors. Of 0 there is none."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    typos: Strength = Field(0.0, description="share of words of Latin letters with a slip of the keyboard; usually 0.1")
    case: Strength = Field(0.0, description="share of words in the other case; usually 1: all of the text")
    homophones: Strength = Field(
        0.0, description="share of Chinese characters replaced by ones that sound alike; usually 0.1"
    )
    lookalikes: Strength = Field(0.0, description="share of characters replaced by ones that look alike; usually 0.1")
    traditional: Strength = Field(
        0.0, description="share of simplified characters written as traditional ones; usually 1: all of the text"
    )
    spaces: Strength = Field(0.0, description="share of places inside words with a space put in; usually 0.1")
    invisible: Strength = Field(
        0.0, description="share of places inside words with an invisible character put in; usually 0.1"
    )
    synonyms: Strength = Field(
        0.0,
        description="most words, as a share, that a search replaces by near ones to change the answer; usually 0.2",
    )
    rows: int = Field(500, ge=20, le=5000, description="most test rows that get each kind; the search has 100 at most")

    @model_validator(mode="before")
    @classmethod
    def _in_any_form(cls, given: Any) -> Any:
        if isinstance(given, bool):
            return dict(USUAL) if given else {}
        if isinstance(given, list) and all(isinstance(name, str) for name in given):
            return {name: USUAL.get(name, 0.0) for name in given}
        return given

    @property
    def strengths(self) -> dict[str, float]:
        """The kinds that are asked for, with their strength."""
        return {name: getattr(self, name) for name in USUAL if getattr(self, name) > 0}
