"""What `docker update` makes of a container."""

import json
from dataclasses import replace

import pytest

from bridgehead.core.model.container import Container, ContainerSpec, Limits, ProcessSpec, RestartPolicy
from bridgehead.core.model.errors import Conflict, InvalidParameter
from bridgehead.core.model.ids import ContainerID, ImageID
from bridgehead.core.updating import Update, check, restored, updated

MIB = 1 << 20


def container(echo=None, **spec) -> Container:
    made = ContainerSpec(ProcessSpec(("true",)), "host", **spec)
    return Container(
        ContainerID("c"), "box", "", ImageID("i"), "busybox", made, host_config_echo=json.dumps(echo or {})
    )


def test_what_is_not_said_stays():
    before = container(
        {"Memory": 64 * MIB, "Binds": ["/a:/b"]},
        limits=Limits(memory=64 * MIB, pids=7, cpu_shares=5, cpuset_mems="0", block_weight=50),
        restart=RestartPolicy("always"),
    )

    after = updated(before, Update(Limits(cpu_shares=9), echo={"CpuShares": 9}))

    assert after.spec.limits == replace(before.spec.limits, cpu_shares=9)
    assert after.spec.restart == RestartPolicy("always")
    assert json.loads(after.host_config_echo) == {"Memory": 64 * MIB, "Binds": ["/a:/b"], "CpuShares": 9}
    assert before == restored(after, before)


@pytest.mark.parametrize(("said", "expected"), [(None, 7), (0, 0), (9, 9)])
def test_a_limit_on_processes_can_be_lifted(said: int | None, expected: int):
    assert updated(container(limits=Limits(pids=7)), Update(pids=said)).spec.limits.pids == expected


@pytest.mark.parametrize(
    ("now", "new", "swap"),
    [
        (Limits(memory=32 * MIB), Limits(memory=48 * MIB), 64 * MIB),
        (Limits(memory=32 * MIB, memory_swap=-1), Limits(memory=48 * MIB), -1),
        (Limits(memory=32 * MIB), Limits(memory=96 * MIB, memory_swap=100 * MIB), 100 * MIB),
        (Limits(memory=32 * MIB), Limits(cpu_shares=5), 0),
    ],
)
def test_swap_stays_what_it_was_meant_to_be(now: Limits, new: Limits, swap: int):
    assert updated(container(limits=now), Update(new)).spec.limits.memory_swap == swap


@pytest.mark.parametrize(
    ("before", "update", "sentence"),
    [
        (
            container(limits=Limits(memory=32 * MIB)),
            Update(Limits(memory=65 * MIB)),
            "already set memoryswap",
        ),
        (container(), Update(Limits(memory=64 * MIB)), "already set memoryswap"),
        (container(auto_remove=True), Update(restart=RestartPolicy("always")), "AutoRemove is enabled"),
        (container({"NanoCpus": 5}), Update(Limits(cpu_quota=5000)), "CPU Quota cannot be updated"),
        (container({"NanoCpus": 5}), Update(Limits(cpu_period=5000)), "CPU Period cannot be updated"),
    ],
)
def test_what_does_not_go_with_what_is_there_is_refused(before: Container, update: Update, sentence: str):
    with pytest.raises(Conflict, match=sentence):
        updated(before, update)


def test_swap_below_the_memory_there_is_is_refused():
    with pytest.raises(InvalidParameter, match="memoryswap"):
        updated(container(limits=Limits(memory=64 * MIB)), Update(Limits(memory_swap=32 * MIB)))


def test_no_policy_is_fine_for_a_container_that_goes_by_itself():
    assert updated(container(auto_remove=True), Update(restart=RestartPolicy("no"))).spec.auto_remove


@pytest.mark.parametrize(
    ("limits", "sentence"),
    [
        (Limits(memory=MIB), "Minimum memory limit allowed is 6MB"),
        (Limits(memory=-1), "Minimum memory limit allowed is 6MB"),
        (Limits(memory_reservation=MIB), "Minimum memory reservation allowed is 6MB"),
        (Limits(memory=64 * MIB, memory_swap=32 * MIB), "memoryswap"),
        (Limits(memory_swap=-2), "memoryswap"),
        (Limits(memory=32 * MIB, memory_reservation=64 * MIB), "memory reservation limit"),
        (Limits(cpu_shares=-1), "CPU shares"),
        (Limits(cpu_period=10), "1ms"),
        (Limits(cpu_period=2_000_000), "1s"),
        (Limits(cpu_quota=10), "1ms"),
    ],
)
def test_what_no_container_can_have_is_refused(limits: Limits, sentence: str):
    with pytest.raises(InvalidParameter, match=sentence):
        check(limits)


def test_ordinary_limits_pass():
    check(Limits(memory=64 * MIB, memory_swap=-1, memory_reservation=32 * MIB, cpu_period=1000, cpu_quota=-1))
