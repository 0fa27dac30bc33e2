import msgspec
import pytest

from bridgehead.core.oci.capabilities import ALL, DEFAULT
from bridgehead.core.oci.seccomp import Profile, allowed, profile


def decoded(capabilities):
    return msgspec.json.decode(profile(capabilities, "x86_64"), type=Profile)


@pytest.mark.parametrize("call", ["openat", "clone3", "io_uring_setup", "mount", "keyctl", "reboot", "bpf"])
def test_dangerous_calls_are_not_free(call):
    assert (call == "openat") == (call in allowed(DEFAULT, "x86_64"))


@pytest.mark.parametrize(
    ("capability", "call"),
    [
        ("CAP_SYS_ADMIN", "mount"),
        ("CAP_SYS_PTRACE", "pidfd_getfd"),
        ("CAP_SYS_BOOT", "reboot"),
        ("CAP_SYS_TIME", "clock_settime"),
        ("CAP_SYS_CHROOT", "chroot"),
        ("CAP_BPF", "bpf"),
    ],
)
def test_capability_opens_its_calls(capability, call):
    assert call not in allowed(ALL - {capability, "CAP_SYS_ADMIN"}, "x86_64")
    assert call in allowed(DEFAULT | {capability}, "x86_64")


def test_new_namespaces_need_an_administrator():
    rules = [rule for rule in decoded(DEFAULT).syscalls if {"clone", "clone3"} & set(rule.names)]

    clone, clone3 = rules

    assert (
        clone.action,
        clone.args[0].op,
        clone.args[0].value,
    ) == ("SCMP_ACT_ALLOW", "SCMP_CMP_MASKED_EQ", 0x7E020000)
    assert (clone3.action, clone3.errno_ret) == ("SCMP_ACT_ERRNO", 38)


def test_administrator_may_clone_as_he_likes():
    rules = [rule for rule in decoded(ALL).syscalls if "clone" in rule.names]

    assert [rule.args for rule in rules] == [()]


def test_everything_else_fails_with_eperm():
    actual = decoded(DEFAULT)

    assert (actual.default_action, actual.default_errno_ret) == ("SCMP_ACT_ERRNO", 1)


def test_profile_is_built_once():
    assert profile(DEFAULT, "x86_64") is profile(frozenset(DEFAULT), "x86_64")
