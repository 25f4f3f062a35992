"""What the tables of a study file are made of: numbers with bounds, and refusing unknown keys."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["Positive", "Px", "Settings", "StepTable", "Text"]

Px = Annotated[float, Field(allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Text = Annotated[str, Field(min_length=1)]


class Settings(BaseModel):
    """Base of all tables: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class StepTable(BaseModel):
    """A step: the method by name; every other key is a parameter of that method."""

    model_config = ConfigDict(extra="allow", frozen=True)

    @property
    def params(self) -> dict[str, Any]:
        """The parameters, as the method takes them."""
        return dict(self.model_extra or {})
