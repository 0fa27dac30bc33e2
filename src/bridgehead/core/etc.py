"""The three files of a sandbox: hostname, hosts and resolv.conf, as text.

Source: behaviour.md 2.15 and 2.16.
"""

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bridgehead.core.model.addresses import Address
from bridgehead.core.model.container import ContainerSpec

HOST_GATEWAY = "host-gateway"  # in --add-host: the host as containers on docker0 see it
EMBEDDED_SERVER = "127.0.0.11"
PUBLIC_SERVERS = ("8.8.8.8", "8.8.4.4")
PUBLIC_SERVERS_V6 = ("2001:4860:4860::8888", "2001:4860:4860::8844")
_BASE = (
    ("127.0.0.1", "localhost"),
    ("::1", "localhost ip6-localhost ip6-loopback"),
    ("fe00::0", "ip6-localnet"),
    ("ff00::0", "ip6-mcastprefix"),
    ("ff02::1", "ip6-allnodes"),
    ("ff02::2", "ip6-allrouters"),
)


@dataclass(frozen=True, slots=True)
class ResolvConf:
    servers: tuple[str, ...] = ()
    search: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    text: str = ""  # the whole file, while nothing in it was overridden
    chosen: bool = False  # the servers are the user's, so whatever they are, they are meant


def parse_resolv_conf(text: str) -> ResolvConf:
    servers: list[str] = []
    search: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    for line in text.splitlines():
        words = line.split("#", 1)[0].split(";", 1)[0].split()
        match words:
            case ["nameserver", server, *_] if _is_address(server):
                servers.append(server)
            case ["search", *domains] | ["domain", *domains]:
                search = tuple(domains)
            case ["options", *given]:
                options = tuple(given)
            case _:
                pass
    return ResolvConf(tuple(servers), search, options, text)


def overridden(host: ResolvConf, spec: ContainerSpec) -> ResolvConf:
    """The host's settings with the container's own in their place, each kind by itself."""
    if not (spec.dns or spec.dns_search or spec.dns_options):
        return host
    search = tuple(domain for domain in spec.dns_search if domain != ".") if spec.dns_search else host.search
    return ResolvConf(
        spec.dns or host.servers, search, spec.dns_options or host.options, chosen=bool(spec.dns)
    )


def resolv_conf(settings: ResolvConf, *, embedded: bool, ipv6: bool = False) -> str:
    """With `embedded`, the sandbox asks our resolver; else real servers, public ones if there are none.

    Of the host's servers only those serve that can be reached from a network of one's own, with or without
    `ipv6`.
    """
    if embedded:
        chosen = any(option.startswith("ndots:") for option in settings.options)
        options = settings.options if chosen else (*settings.options, "ndots:0")
        return _render(settings.search, (EMBEDDED_SERVER,), options)
    if settings.chosen:
        return _render(settings.search, settings.servers, settings.options)
    servers = [one for one in settings.servers if not is_loopback(one) and (ipv6 or ":" not in one)]
    if settings.text and servers == list(settings.servers):
        return settings.text
    public = (*PUBLIC_SERVERS, *PUBLIC_SERVERS_V6) if ipv6 else PUBLIC_SERVERS
    return _render(settings.search, servers or public, settings.options)


def host_resolv_conf(settings: ResolvConf) -> str:
    """In the host's own network, loopback servers are as good as any."""
    return settings.text or _render(settings.search, settings.servers, settings.options)


def searches_short_names(settings: ResolvConf) -> bool:
    """Whether somebody chose that names with few dots be looked for in the search domains first."""
    chosen = (option.removeprefix("ndots:") for option in settings.options if option.startswith("ndots:"))
    return any(number.isdecimal() and int(number) > 0 for number in chosen)


def _render(search: Sequence[str], servers: Sequence[str], options: Sequence[str]) -> str:
    lines = [f"search {' '.join(search)}"] if search else []
    lines += [f"nameserver {server}" for server in servers]
    lines += [f"options {' '.join(options)}"] if options else []
    return "".join(f"{line}\n" for line in lines)


def is_loopback(server: str) -> bool:
    return ipaddress.ip_address(server.partition("%")[0]).is_loopback


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    return True


def hosts(
    spec: ContainerSpec,
    addresses: Iterable[Address],
    host_gateways: Sequence[Address],
    linked: Iterable[tuple[str, str]] = (),
) -> str:
    """Fixed lines, the user's `--add-host` lines, one line a link, then one line an own address."""
    lines = [(known, names) for known, names in _BASE if ":" not in known or not spec.ipv6_disabled]
    for entry in spec.extra_hosts:
        name, _, address = entry.partition(":")
        known = map(str, host_gateways) if address == HOST_GATEWAY else (address.strip("[]"),)
        lines += [(one, name) for one in known]
    lines += linked
    full = f"{spec.hostname}.{spec.domainname} {spec.hostname}" if spec.domainname else spec.hostname
    short, dot, _ = spec.hostname.partition(".")
    own = f"{spec.hostname} {short}" if dot and not spec.domainname else full
    lines += [(str(address), own) for address in addresses]
    return "".join(f"{address}\t{names}\n" for address, names in lines)


def hostname(spec: ContainerSpec) -> str:
    return f"{spec.hostname}\n"
