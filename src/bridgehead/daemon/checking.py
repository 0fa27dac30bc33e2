"""From one value a flag to the settings, refusing what makes no sense in itself or together."""

from collections.abc import Iterable, Mapping
from typing import Any

from bridgehead.core.images.registries import RegistryOptions
from bridgehead.core.model.errors import InvalidParameter
from bridgehead.core.model.network import SMALLEST_IPV6_MTU
from bridgehead.core.settings import DaemonOptions, DefaultBridge, DnsDefaults, FirewallBackend
from bridgehead.daemon.doors import doors
from bridgehead.daemon.flags import LEVELS, Settings

_LEAST_MTU, _MOST_MTU = 68, 65535


def checked(values: Mapping[str, Any]) -> Settings:
    """
    Raises:
        InvalidParameter: in dockerd's words where it has some.
    """
    _check_places(values)
    _check_bridge(values)
    return Settings(
        hosts=values["host"],
        data_root=values["data-root"],
        exec_root=values["exec-root"],
        pidfile=values["pidfile"],
        debug=values["debug"],
        log_level=values["log-level"],
        group=values["group"],
        plan=values["plan"],
        labels=values["label"],
        doors=doors(values),
        options=_options(values),
        values=values,
    )


def _options(values: Mapping[str, Any]) -> DaemonOptions:
    return DaemonOptions(
        bridge=_bridge(values),
        dns=DnsDefaults(values["dns"], values["dns-search"], values["dns-opt"]),
        pools=values["default-address-pool"],
        network_options=_by_driver(values["default-network-opt"]),
        host_gateway=values["host-gateway-ip"],
        iptables=values["iptables"],
        ip6tables=values["ip6tables"],
        ip_forward=values["ip-forward"],
        userland_proxy=values["userland-proxy"],
        direct_routing=values["allow-direct-routing"],
        firewall_backend=_backend(values["firewall-backend"]),
        registries=RegistryOptions(values["insecure-registry"], values["registry-mirror"]),
    )


def _bridge(values: Mapping[str, Any]) -> DefaultBridge:
    host_address = values["ip"]
    return DefaultBridge(
        name=values["bridge"],
        bip=values["bip"],
        bip6=values["bip6"],
        fixed_cidr=values["fixed-cidr"],
        fixed_cidr_v6=values["fixed-cidr-v6"],
        default_gateway=values["default-gateway"],
        default_gateway_v6=values["default-gateway-v6"],
        mtu=values["mtu"] or None,
        icc=values["icc"],
        masquerade=values["ip-masq"],
        ipv6=values["ipv6"],
        host_address=None if host_address is None or host_address.is_unspecified else host_address,
    )


def _by_driver(options: Iterable[tuple[str, str, str]]) -> Mapping[str, Mapping[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for driver, key, value in options:
        found.setdefault(driver, {})[key] = value
    return found


def _backend(text: str) -> FirewallBackend:
    try:
        return FirewallBackend(text)
    except ValueError:
        known = ", ".join(FirewallBackend)
        raise InvalidParameter(f"invalid firewall-backend {text!r}: it is none of {known}") from None


def _check_bridge(values: Mapping[str, Any]) -> None:
    if values["bridge"] and (values["bip"] or values["bip6"]):
        raise InvalidParameter(
            "You specified -b & --bip, mutually exclusive options. Please specify only one"
        )
    if not values["icc"] and not values["iptables"]:
        raise InvalidParameter(
            "You specified --iptables=false with --icc=false. ICC=false uses iptables to function. "
            "Please set --icc or --iptables to true"
        )
    if values["mtu"] and not _LEAST_MTU <= values["mtu"] <= _MOST_MTU:
        raise InvalidParameter(
            f"invalid mtu {values['mtu']}: it must be between {_LEAST_MTU} and {_MOST_MTU}"
        )
    if values["ipv6"] and values["mtu"] and values["mtu"] < SMALLEST_IPV6_MTU:
        raise InvalidParameter(
            f"invalid mtu {values['mtu']}: with --ipv6 it must be {SMALLEST_IPV6_MTU} at the least"
        )
    for own, part in (("bip", "fixed-cidr"), ("bip6", "fixed-cidr-v6")):
        if values[own] and values[part] and not values[part].subnet_of(values[own].network):
            raise InvalidParameter(
                f"--{part}={values[part]} is outside of {values[own].network}, the subnet of --{own}"
            )


def _check_places(values: Mapping[str, Any]) -> None:
    for name in ("data-root", "exec-root"):
        if not values[name].startswith("/"):
            raise InvalidParameter(f"{name} must be an absolute path, not {values[name]!r}")
    if values["log-level"] not in LEVELS:
        raise InvalidParameter(f"log-level {values['log-level']!r} is none of {', '.join(LEVELS)}")
