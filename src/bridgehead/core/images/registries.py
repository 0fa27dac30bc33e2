"""Where an image's registry is, and how far it is trusted."""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass

HUB = "docker.io"
HUB_INDEX = "https://index.docker.io/v1/"
_HUB_HOST = "registry-1.docker.io"
_LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128"))


@dataclass(frozen=True, slots=True)
class RegistryOptions:
    """`insecure`: host[:port] or CIDR, spoken to without a certificate, or without TLS. `mirrors`: URLs, of
    Docker Hub alone.
    """

    insecure: tuple[str, ...] = ()
    mirrors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Door:
    """One way to a registry. `url` has no slash at its end; `host` is whose certificates are used.

    `verify`: whether its certificate must be good. `mirror`: it may lack what the registry has, and is never
    told credentials.
    """

    url: str
    host: str
    verify: bool = True
    mirror: bool = False


def doors(domain: str, options: RegistryOptions, *, push: bool = False) -> tuple[Door, ...]:
    """In the order in which they are tried."""
    if domain == HUB:
        hub = Door(f"https://{_HUB_HOST}", HUB)
        return (hub,) if push else (*(_mirror(url, options) for url in options.mirrors), hub)
    if is_insecure(domain, options.insecure):
        return (
            Door(f"https://{domain}", domain, verify=False),
            Door(f"http://{domain}", domain, verify=False),
        )
    return (Door(f"https://{domain}", domain),)


def is_insecure(domain: str, listed: Sequence[str]) -> bool:
    """This machine's own addresses are, as in Docker, and whatever is listed by name, address or subnet."""
    host = _host(domain)
    if domain in listed or host == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return any(address in network for network in (*_LOOPBACK, *_networks(listed)))


def _networks(listed: Sequence[str]) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    return [ipaddress.ip_network(text, strict=False) for text in listed if "/" in text]


def _mirror(url: str, options: RegistryOptions) -> Door:
    host = url.partition("://")[2].partition("/")[0]
    plain = url.startswith("http://")
    return Door(
        url.rstrip("/"), host, verify=not plain and not is_insecure(host, options.insecure), mirror=True
    )


def _host(domain: str) -> str:
    if domain.startswith("["):
        return domain[1:].partition("]")[0]
    return domain.partition(":")[0]
