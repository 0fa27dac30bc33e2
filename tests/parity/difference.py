"""One difference that is meant."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Difference:
    """`oracle` and `ours` are patterns of whole lines that only that side shows; '' when there is none."""

    why: str
    oracle: str = ""
    ours: str = ""
