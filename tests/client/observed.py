"""All that a client and the kernel show of a daemon, as one comparable value."""

import json
from typing import Any

from tests.support.census import census
from tests.support.daemon import Daemon


def observed(daemon: Daemon) -> dict[str, Any]:
    """Networks and containers as the API tells them; links, addresses, rules and files as they are."""
    return {
        "networks": _by_id(daemon.call("GET", "/networks")[1]),
        "details": [
            daemon.call("GET", f"/networks/{network['Id']}")[1]
            for network in sorted(daemon.call("GET", "/networks")[1], key=lambda network: network["Id"])
        ],
        "containers": {
            container["Id"]: (container["Names"], container["State"], container["NetworkSettings"])
            for container in daemon.call("GET", "/containers/json?all=1")[1]
        },
        "links": _steady(daemon.host.json("ip", "-j", "address")),
        "kernel": sorted(census(daemon)),
    }


def _by_id(objects: list[dict[str, Any]]) -> dict[str, str]:
    return {item["Id"]: json.dumps(item, sort_keys=True) for item in objects}


def _steady(links: list[dict[str, Any]]) -> list[dict[str, Any]]:
    wanted = ("ifname", "mtu", "address", "master")
    return [
        {key: link.get(key) for key in wanted}
        | {"addresses": [(item["local"], item["prefixlen"]) for item in link["addr_info"]]}
        for link in links
    ]
