"""`--publish` and `--expose`: written briefly by people, spelled out port by port for the API."""

from collections.abc import Iterable, Sequence

from bridgehead.cli.client import CommandFailed

HIGHEST = 65535
PROTOCOLS = ("tcp", "udp", "sctp")


def exposed(expose: Sequence[str], publish: Iterable[str]) -> dict[str, dict[str, str]]:
    _check_exposed(expose)
    words = [*expose, *(word.rpartition(":")[2] for word in publish)]
    return {f"{port}/{protocol}": {} for word in words for port, protocol in _inside(word)}


def _check_exposed(words: Iterable[str]) -> None:
    for word in words:
        for number in word.partition("/")[0].split("-", 1):
            if not number.isdigit():
                raise CommandFailed(
                    f"invalid range format for --expose: {word}, error: "
                    f'strconv.ParseUint: parsing "{number}": invalid syntax',
                    125,
                )


def port_bindings(words: Iterable[str]) -> dict[str, list[dict[str, str]]]:
    """`[ip:][port[-port]:]port[-port][/protocol]`; equal ranges map one to one."""
    bindings: dict[str, list[dict[str, str]]] = {}
    for word in words:
        outside, _, inside_text = word.rpartition(":")
        address, _, host_text = outside.rpartition(":")
        inside = _inside(inside_text)
        for (port, protocol), host_port in zip(inside, _outside(host_text, len(inside), word), strict=True):
            binding = {"HostIp": address.strip("[]"), "HostPort": host_port}
            bindings.setdefault(f"{port}/{protocol}", []).append(binding)
    return bindings


def _inside(word: str) -> list[tuple[int, str]]:
    text, _, protocol = word.partition("/")
    protocol = protocol.lower() or "tcp"
    if protocol not in PROTOCOLS:
        raise CommandFailed(f"invalid proto: {protocol}", 125)
    return [(port, protocol) for port in _ports(text, "containerPort")]


def _outside(text: str, count: int, word: str) -> list[str]:
    if not text:
        return [""] * count
    ports = _ports(text, "hostPort")
    if len(ports) == count:
        return [str(port) for port in ports]
    if count == 1:
        return [text]  # the daemon takes the first free one
    raise CommandFailed(f"invalid ranges specified for container and host Ports: {word}", 125)


def _ports(text: str, kind: str) -> range:
    low, dash, high = text.partition("-")
    for part in (low, high) if dash else (low,):
        if not part.isdigit() or int(part) > HIGHEST:
            raise CommandFailed(f"invalid {kind}: {text}", 125)
    first, last = int(low), int(high if dash else low)
    if last < first:
        raise CommandFailed(f"invalid {kind}: {text}", 125)
    return range(first, last + 1)
