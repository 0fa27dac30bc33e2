"""Values that a client may send by chance, by mistake or on purpose, and bodies in the shape of a route's."""

import json
from collections.abc import Sequence
from random import Random
from typing import Any

from msgspec import inspect

PASSWORD = "Hush-hush"
NAMES = ("steady", "idle", "lan", "busybox", "bridge", "host", "none")
PLAUSIBLE = (
    *NAMES,
    *("default", "container:steady", "container:idle", "container:nobody", "steady:alias", "10.200.1.0/24"),
    *("10.200.1.7", "fd00:7::/64", "fd00:7::9", "0.0.0.0", "127.0.0.1", "255.255.255.255/32", "::/0"),
    *("02:42:ac:11:00:09", "ff:ff:ff:ff:ff:ff", "80", "80/tcp", "8080-8085", "53/udp", "0", "65536/tcp"),
    *("com.docker.network.bridge.name", "com.docker.network.driver.mtu", "true", "false", "1400", "br-odd"),
    *("macvlan", "ipvlan", "overlay", "null", "nosuchdriver", "default", "local", "swarm", "global"),
    *("net.ipv4.ip_forward", "1", "on-failure", "always", "unless-stopped", "NET_ADMIN", "ALL"),
    *("SIGTERM", "KILL", "64", "ctrl-p,ctrl-q", "a", "/", "/proc", "/tmp/inside", "root", "1000:1000"),
    *(
        "key",
        "key=value",
        "PATH=/bin",
        f"PASSWORD={PASSWORD}",
        "host:10.0.0.1",
        "db:host-gateway",
        "true",
        "10m",
        "2020-01-01T00:00:00Z",
    ),
)
COMMANDS = (["true"], ["false"], ["nosuch"], ["sh", "-c", "echo out; echo err >&2"], "true", [""], [])
NASTY = (
    "",
    " ",
    ".",
    "..",
    "../../../etc/passwd",
    "a/../b",
    "a\x00b",
    "a\nb",
    "a\r\nX-Injected: 1",
    "\x7f",
    "é",
    "\U0001f600",
    "%s%n%x",
    "%2e%2e%2f",
    "$(true)",
    "'\"`;|&",
    "{}",
    "[]",
    "-1",
    "--help",
    "-",
    "=",
    "a=",
    "=a",
    ":",
    "a:b:c:d",
    ",",
    "ctrl-",
    "1e999",
    "9" * 40,
    "9" * 500,
    "0x10",
    "\u0661",
    "NaN",
    "null",
    "(((((",
    "[a-",
    "sha256:",
    "sha256:" + "f" * 64,
    "@sha256:0",
    "f" * 64,
    "x" * 300,
    "x" * 5000,
    "1.2.3",
    "1.2.3.4/33",
    "::ffff:1.2.3.4",
    "fe80::1%eth0",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59.999999999+23:59",
    "99999999999",
    "1h1h1h",
)
_VITAL = {"Image", "Cmd", "Name", "Container", "Netns"}
_SENSIBLE = {"Image": "busybox", "Netns": "/run/netns/odd"}
NUMBERS = (
    0,
    1,
    -1,
    2,
    7,
    80,
    1500,
    65535,
    65536,
    2**31,
    -(2**31),
    2**32,
    2**53,
    2**63 - 1,
    2**63,
    -(2**63),
    2**64,
)
ODD_TEXTS = (
    "NaN",
    "Infinity",
    "-Infinity",
    "1e999",
    "1" * 400,
    "0.1",
    "-0",
    "1E5",
    "tru",
    "'a'",
    '"\\ud800"',
    "",
)


def text(dice: Random) -> str:
    kind = dice.random()
    if kind < 0.6:
        return dice.choice(PLAUSIBLE)
    if kind < 0.9:
        return dice.choice(NASTY)
    return "".join(
        chr(dice.choice((dice.randrange(32, 127), dice.randrange(1, 0xD7FF))))
        for _ in range(dice.randrange(20))
    )


def anything(dice: Random, depth: int = 0) -> Any:
    kinds = 6 if depth > 3 else 8
    match dice.randrange(kinds):
        case 0 | 1 | 2:
            return text(dice)
        case 3:
            return dice.choice(NUMBERS)
        case 4:
            return dice.choice((True, False))
        case 5:
            return dice.choice((None, 1.5, -0.0))
        case 6:
            return [anything(dice, depth + 1) for _ in range(dice.randrange(4))]
        case _:
            return {text(dice): anything(dice, depth + 1) for _ in range(dice.randrange(4))}


def shaped(dice: Random, kind: inspect.Type) -> Any:
    """A value of the type, for the most part."""
    if dice.random() < 0.02:
        return anything(dice)
    match kind:
        case inspect.StructType():
            share = 2 / len(kind.fields)
            told = [
                field
                for field in kind.fields
                if dice.random() < (0.95 if field.encode_name in _VITAL else share)
            ]
            return {_key(dice, field.encode_name): _field(dice, field) for field in told}
        case inspect.DictType():
            return {text(dice): shaped(dice, kind.value_type) for _ in range(dice.randrange(3))}
        case inspect.ListType() | inspect.VarTupleType():
            return [shaped(dice, kind.item_type) for _ in range(dice.randrange(3))]
        case inspect.UnionType():
            return shaped(dice, dice.choice(kind.types))
        case inspect.BoolType():
            return dice.choice((True, False))
        case inspect.IntType():
            return dice.choice(NUMBERS)
        case inspect.NoneType():
            return None
        case _:
            return text(dice)


def _field(dice: Random, field: inspect.Field) -> Any:
    if field.encode_name in _SENSIBLE and dice.random() < 0.9:
        return _SENSIBLE[field.encode_name]
    if field.encode_name in {"Cmd", "Entrypoint"} and dice.random() < 0.8:
        return dice.choice(COMMANDS)
    if field.encode_name == "Container" and dice.random() < 0.8:
        return dice.choice(NAMES[:2])
    return shaped(dice, field.type)


def _key(dice: Random, name: str) -> str:
    return dice.choice((name.lower(), name.upper())) if dice.random() < 0.05 else name


def document(dice: Random, value: Any) -> bytes:
    """The value as JSON, now and then with what JSON should not have."""
    kind = dice.random()
    body = json.dumps(value)
    if kind < 0.85:
        return body.encode()
    if kind < 0.88:
        return body.encode()[: dice.randrange(len(body) + 1)]
    if kind < 0.91:
        return (body + dice.choice(("{}", "x", " ", "\x00", body))).encode()
    if kind < 0.94 and body.startswith("{"):
        inner = dice.choice(ODD_TEXTS)
        return f'{{"Name": {inner}, "Name": "twice", "Labels": {inner}, {body[1:]}'.encode()
    if kind < 0.96:
        depth = dice.choice((50, 900, 5000, 100_000))
        return (dice.choice(('{"Labels":', "[", '{"HostConfig":')) * depth).encode()
    damaged = bytearray(body.encode())
    for _ in range(dice.randrange(1, 4)):
        if damaged:
            damaged[dice.randrange(len(damaged))] = dice.randrange(256)
    return bytes(damaged)


def pick(dice: Random, usual: Sequence[str], share: float = 0.5) -> str:
    return dice.choice(usual) if dice.random() < share else text(dice)
