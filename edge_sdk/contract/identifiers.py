"""The words and numbers of which the contract is made, with what each may be.

``$`` alone would let a newline follow in a pattern; the rest says no, to Python and to JSON Schema alike.
"""

from __future__ import annotations

from typing import Annotated, TypeAlias

from msgspec import Meta

__all__ = ["Count", "LabelId", "MemberName", "Name", "PositiveInt", "Score", "Sha256", "Version"]

LabelId: TypeAlias = Annotated[str, Meta(pattern=r"^[a-z0-9_]{1,64}$(?!\n)")]
Name: TypeAlias = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$(?!\n)")]
Version: TypeAlias = Annotated[str, Meta(pattern=r"^[0-9]+\.[0-9]+\.[0-9]+([-+][0-9A-Za-z.-]+)?$(?!\n)")]
Sha256: TypeAlias = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$(?!\n)")]
MemberName: TypeAlias = Annotated[
    str, Meta(pattern=r"^(models|golden)/[A-Za-z0-9_][A-Za-z0-9._-]*$(?!\n)|^report\.(json|html)$(?!\n)")
]
Score: TypeAlias = Annotated[float, Meta(ge=0.0, le=1.0)]
PositiveInt: TypeAlias = Annotated[int, Meta(gt=0)]
Count: TypeAlias = Annotated[int, Meta(ge=0)]
