"""Small vocabularies: names, signals, restarts, times."""

import pytest

from bridgehead.core import naming, restart, signals
from bridgehead.core.model.container import ContainerState, RestartPolicy
from bridgehead.core.model.errors import InvalidParameter
from bridgehead.core.time import rfc3339


@pytest.mark.parametrize("name", ["c1", "/c1", "a.b_c-d", "0x"])
def test_dockers_names_are_taken(name: str) -> None:
    assert name.removeprefix("/") == naming.checked(name)


@pytest.mark.parametrize("name", ["", "a", "-ab", "a b", "a/b", "ä1", "//a"])
def test_other_names_are_not(name: str) -> None:
    with pytest.raises(InvalidParameter, match="only"):
        naming.checked(name)


def test_made_up_names_are_names_and_differ() -> None:
    names = {naming.generated(number) for number in range(1000)}

    assert len(names) == 1000
    assert all(naming.checked(name) for name in names)


@pytest.mark.parametrize(
    ("text", "number"),
    [("KILL", 9), ("SIGKILL", 9), ("sigterm", 15), ("9", 9), ("WINCH", 28), ("RTMIN+3", 37)],
)
def test_signals_have_many_spellings(text: str, number: int) -> None:
    assert number == signals.number(text)


@pytest.mark.parametrize("text", ["", "NOPE", "0", "65", "-9", "RTMIN+99", "KILL+"])
def test_what_is_no_signal_is_refused(text: str) -> None:
    with pytest.raises(InvalidParameter, match="invalid signal"):
        signals.number(text)


@pytest.mark.parametrize(
    ("policy", "state", "code", "expected"),
    [
        (RestartPolicy("no"), ContainerState(), 1, False),
        (RestartPolicy("always"), ContainerState(), 0, True),
        (RestartPolicy("always"), ContainerState(stopped_by_user=True), 0, False),
        (RestartPolicy("unless-stopped"), ContainerState(), 1, True),
        (RestartPolicy("on-failure"), ContainerState(), 0, False),
        (RestartPolicy("on-failure"), ContainerState(restarts=50), 1, True),
        (RestartPolicy("on-failure", 3), ContainerState(restarts=2), 1, True),
        (RestartPolicy("on-failure", 3), ContainerState(restarts=3), 1, False),
    ],
)
def test_who_comes_back(policy: RestartPolicy, state: ContainerState, code: int, *, expected: bool) -> None:
    assert expected is restart.wants_restart(policy, state, code)


def test_waits_double_up_to_a_minute() -> None:
    assert [restart.delay(count) for count in range(3)] == [0.1, 0.2, 0.4]
    assert restart.delay(40) == 60.0


def test_times_have_nanoseconds() -> None:
    assert rfc3339(1_795_475_401_000_000_007) == "2026-11-23T23:10:01.000000007Z"
