"""Sessions on daemons with networking parameters, and where we mean to differ."""

from tests.parity.difference import Difference
from tests.parity.sessions.words import FAMILIES, sleeper

_SHOWN = (
    "network inspect bridge",
    "machine: ip -o -4 address show",
    sleeper("one"),
    sleeper("two"),
    "exec one sh -c 'ip -o -4 address show; ip route; cat /sys/class/net/eth0/mtu'",
    "inspect -f '{{.NetworkSettings.Gateway}} {{.NetworkSettings.IPAddress}}' two",
    "exec one ping -c 1 -W 1 198.51.100.1",
)
_BRIDGE = ("machine: busybox brctl addbr br0", "machine: busybox ifconfig br0 188.18.0.1")


def _pair(address: str) -> str:
    return f"exec one ping -c 1 -W 1 {address}"


SCENARIOS: dict[str, tuple[str, ...]] = {
    "bip": ("daemon: --bip=192.168.100.5/24", *_SHOWN, _pair("192.168.100.2")),
    "bip-and-range": (
        "daemon: --bip=192.168.100.1/24 --fixed-cidr=192.168.100.129/25",
        *_SHOWN,
        _pair("192.168.100.1"),
    ),
    "fixed-cidr": ("daemon: --fixed-cidr=172.17.1.1/24", *_SHOWN, _pair("172.17.1.2")),
    "mtu": ("daemon: --mtu=1400", *_SHOWN, "network create other", "run --rm --net other busybox ip link"),
    "default-gateway": (
        "daemon: --bip=192.168.100.1/24 --default-gateway=192.168.100.254",
        *_SHOWN,
    ),
    "icc": ("daemon: --icc=false", *_SHOWN, _pair("172.17.0.3"), _pair("172.17.0.1")),
    "ip-masq": ("daemon: --ip-masq=false --ip=127.0.0.1", *_SHOWN),
    "iptables": ("daemon: --iptables=false", *_SHOWN, _pair("172.17.0.3")),
    "bridge": (*_BRIDGE, "daemon: --bridge=br0", *_SHOWN, _pair("188.18.0.3")),
    "bridge-and-range": (*_BRIDGE, "daemon: -b br0 --fixed-cidr=188.18.3.0/24", *_SHOWN),
    "bridge-bare": ("machine: ip link add br0 type bridge", "daemon: --bridge=br0", *_SHOWN),
    "bridge-none": (
        "daemon: --bridge=none",
        "network ls --format '{{.Name}} {{.Driver}}'",
        "network inspect bridge",
        "run --rm busybox sh -c 'ip -o -4 address show; ip route; cat /etc/hosts'",
        "run --rm --network bridge busybox true",
        "network create own",
        "run --rm --network own busybox ip -o -4 address show",
    ),
    "daemon-dns": (
        "daemon: --dns=192.0.2.1 --dns 192.0.2.2 --dns-search=corp.test --dns-opt=timeout:1",
        "run --rm busybox cat /etc/resolv.conf",
        "run --rm --dns 192.0.2.9 busybox cat /etc/resolv.conf",
        "run --rm --dns-search . busybox cat /etc/resolv.conf",
        "network create own",
        "run --rm --network own busybox cat /etc/resolv.conf",
        "run --rm --network host busybox cat /etc/resolv.conf",
    ),
    "pools": (
        "daemon: --default-address-pool base=10.64.0.0/16,size=24",
        "network create own",
        "network inspect bridge own",
        "run --rm busybox ip -o -4 address show",
    ),
    "ipv6": (
        "daemon: --ipv6 --fixed-cidr-v6=fd00:1::/64",
        "network inspect bridge",
        sleeper("one"),
        "exec one sh -c 'ip -o -6 address show dev eth0 scope global; ip -6 route show default'",
        "until 1 packets received: exec one ping -6 -c 1 -W 2 fd00:1::1",
    ),
    "host-gateway": (
        "daemon: --host-gateway-ip=192.0.2.77",
        "run --rm --add-host outer:host-gateway busybox cat /etc/hosts",
    ),
}

_GATEWAY = Difference(
    "the gateway that the default bridge has is shown, as Docker does from its second start on",
    oracle=r'out  "(Subnet|IPRange)": "\S+/\d+"',
    ours=r'out  "((Subnet|IPRange)": "\S+/\d+",|Gateway": "\S+1")',
)
_RANGE = Difference(
    "the ends of the range are given to nobody, as the manual of --fixed-cidr has it",
    oracle=r"out (N: eth0 inet|.* dev eth0 scope link src|\S+\.1) \S+\.(128|129|0|1)(/.*)?",
    ours=r"out (N: eth0 inet|.* dev eth0 scope link src|\S+\.1) \S+\.(129|130|1|2)(/.*)?",
)
DIFFERENCES: dict[str, tuple[Difference, ...]] = {
    "bip": (FAMILIES,),
    "default-gateway": (FAMILIES,),
    "bridge": (FAMILIES,),
    "bip-and-range": (FAMILIES, _RANGE),
    "bridge-and-range": (FAMILIES, _RANGE),
    "fixed-cidr": (
        FAMILIES,
        _GATEWAY,
        Difference(
            "docker0 is not given an address of the containers'",
            oracle=r"out .*172\.17\.1\.0( .*|/16 .*)?",
            ours=r"out .*172\.17\.0\.1( .*|/16 .*)?",
        ),
    ),
    "ipv6": (
        FAMILIES,
        _GATEWAY,
        Difference(
            "IPv6 addresses are given from the lowest, on the default bridge as on every other",
            oracle=r"out N: eth0 inet6 fd00:1::242:ac11:2/64 .*",
            ours=r"out N: eth0 inet6 fd00:1::2/64 .*",
        ),
    ),
    **dict.fromkeys(("mtu", "icc", "ip-masq", "iptables", "bridge-bare", "pools"), (FAMILIES, _GATEWAY)),
}
