"""What a look-up's answer looks like, for the OpenAPI document."""

from pydantic import BaseModel, Field

__all__ = ["Target"]


class Target(BaseModel):
    """A target that is known."""

    name: str
    ra: float = Field(description="Right ascension (ICRS, deg).")
    dec: float = Field(description="Declination (ICRS, deg).")
