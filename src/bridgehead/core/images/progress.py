"""What is told of a pull or a push while it goes on."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Progress:
    """One line: of the layer `id`, or, where that is '', of the whole. `total` 0: there is nothing to count.

    `aux`: for programs, as (name, value) pairs, in place of a status.
    """

    status: str = ""
    id: str = ""
    current: int = 0
    total: int = 0
    aux: tuple[tuple[str, str | int], ...] = ()
