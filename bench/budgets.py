"""The budgets of the control plane and how each is judged. All are ratios to dockerd in the same run."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

Medians = Mapping[str, tuple[float, float]]  # measure -> (docker, ours)
Samples = Mapping[str, tuple[Sequence[float], Sequence[float]]]


@dataclass(frozen=True, slots=True)
class Budget:
    """`met` judges the medians; a budget is skipped when a measure it `needs` was not taken."""

    code: str
    text: str
    needs: tuple[str, ...]
    met: Callable[[Medians], bool]


def _times(code: str, measure: str, wanted: float) -> Budget:
    return Budget(
        code,
        f"{measure}: at least {wanted:g} times faster",
        (measure,),
        lambda m: ratio(m, measure) >= wanted,
    )


def _no_slower(code: str, measure: str) -> Budget:
    return Budget(
        code, f"{measure}: no slower (5 % is noise)", (measure,), lambda m: ratio(m, measure) >= 0.95
    )


def ratio(medians: Medians, measure: str) -> float:
    docker, ours = medians[measure]
    return docker / ours


def network_share(medians: Medians) -> tuple[float, float]:
    """What the network adds to a container's start: a user network's start less a host network's."""
    user, host = medians["start user"], medians["start host"]
    return user[0] - host[0], user[1] - host[1]


def _share_met(medians: Medians) -> bool:
    docker, ours = network_share(medians)
    return ours <= 10 and docker >= 15 * ours


BUDGETS = (
    _times("G1", "network create", 25),
    _times("G2", "network create (500)", 60),
    Budget(
        "G2",
        "network create (500): at most 2.5 times our own at none",
        ("network create (500)", "network create"),
        lambda m: m["network create (500)"][1] <= 2.5 * m["network create"][1],
    ),
    _times("G3", "network rm", 5),
    _times("G4", "connect", 10),
    _times("G4", "disconnect", 15),
    Budget(
        "G5",
        "network's share of a start (user - host): at most 10 ms and 15 times less",
        ("start user", "start host"),
        _share_met,
    ),
    _times("G6", "start user", 5),
    _times("G7", "kill+rm user", 4),
    _times("G15", "daemon start (0)", 3),
    _times("G15", "daemon start (100)", 20),
    Budget("G16", "idle memory: at most half", ("idle MB",), lambda m: ratio(m, "idle MB") >= 2),
    _no_slower("G17", "ping"),
    _no_slower("G17", "network ls (500)"),
)


def medians_of(samples: Samples) -> dict[str, tuple[float, float]]:
    return {measure: (median(docker), median(ours)) for measure, (docker, ours) in samples.items()}
