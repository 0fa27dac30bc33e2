"""Repairs follow damage at once, but a war is fought ever more slowly."""

from itertools import pairwise

from bridgehead.engine.pace import Pace

DOCKER0 = [("link", "docker0")]


def _fought(pace: Pace, subjects: list[tuple[str, ...]], until_s: float, begun_s: float = 0.0) -> list[float]:
    """When the looks happened, with damage all the time."""
    looks = []
    now = begun_s
    while (now := now + 0.1 + pace.pause_s(now + 0.1, subjects)) < until_s:
        pace.repaired(now, subjects)
        looks.append(now)
    return looks


def test_a_few_damages_cost_no_pause() -> None:
    pace = Pace()

    looks = _fought(pace, DOCKER0, 0.45)

    assert len(looks) == 4


def test_a_war_over_one_thing_is_fought_ever_more_slowly_and_never_given_up() -> None:
    looks = _fought(Pace(), DOCKER0, 600)

    assert len(looks) < 150
    assert max(after - before for before, after in pairwise(looks)) <= 21


def test_a_war_over_one_thing_leaves_the_rest_as_quick_as_ever() -> None:
    pace = Pace()
    _fought(pace, DOCKER0, 60)

    assert pace.pause_s(60, DOCKER0) > 0
    assert pace.pause_s(60, [("link", "br-other")]) == 0
    assert pace.pause_s(60, [*DOCKER0, ("link", "br-other")]) == 0


def test_a_war_over_ever_new_things_is_slowed_down_too() -> None:
    pace = Pace()
    for number in range(100):
        pace.repaired(number / 10, [("link", f"veth{number}")])

    assert pace.pause_s(10, [("link", "veth-new")]) > 0


def test_peace_is_forgiven() -> None:
    pace = Pace()
    _fought(pace, DOCKER0, 30)

    assert pace.pause_s(200, DOCKER0) == 0


def test_others_work_beside_ours_makes_the_next_look_wait_a_little_and_is_no_war() -> None:
    pace = Pace()
    for _ in range(100):
        pace.looked_in_vain(50, DOCKER0, took_s=0.2)

    assert 1.5 < pace.pause_s(50, DOCKER0) < 2
    assert pace.war_s(50, DOCKER0) == 0
    assert pace.pause_s(50, [*DOCKER0, ("link", "br-other")]) == 0
    assert pace.pause_s(52, DOCKER0) == 0
