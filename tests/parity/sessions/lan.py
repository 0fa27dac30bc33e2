"""Sessions about macvlan, and where we mean to differ. ipvlan and made parents need another kernel."""

from tests.parity.difference import Difference
from tests.parity.sessions.words import FAMILIES, LOOPBACK_V6, inside, networks, sleeper

_WIRE = (
    "machine: ip link add eth9 type veth peer name far9",
    "machine: ip link set far9 up",
    "machine: ip link set eth9 up",
)

SCENARIOS: dict[str, tuple[str, ...]] = {
    "macvlan": (
        *_WIRE,
        "network create -d macvlan --subnet 10.30.0.0/24 --gateway 10.30.0.254 -o parent=eth9 lan",
        "network ls --format '{{.Name}} {{.Driver}} {{.Scope}} {{.Internal}}'",
        "network inspect lan",
        sleeper("one", "--net lan --ip 10.30.0.9 --network-alias first"),
        sleeper("two", "--net lan"),
        networks("one"),
        inside("one"),
        inside("two"),
        "exec one ping -c 1 -W 1 two",
        "exec two ping -c 1 -W 1 first",
        "network disconnect lan two",
        "network connect --ip 10.30.0.77 lan two",
        networks("two"),
        "network rm lan",
        "rm -f one two",
        "network rm lan",
    ),
    "macvlan-settings": (
        *_WIRE,
        "network create -d macvlan --subnet 10.31.0.0/24 --subnet 10.32.0.0/24 -o parent=eth9 wide",
        sleeper("one", "--net wide --ip 10.32.0.9"),
        inside("one"),
        "rm -f one",
        "network rm wide",
        "network create --config-only --subnet 10.33.0.0/24 -o parent=eth9 recipe",
        "network create -d macvlan --config-from recipe made",
        "network inspect made",
        sleeper("one", "--net made -p 8080:80"),
        "port one",
        "rm -f one",
        "network rm made",
        "network create -d macvlan --internal --subnet 10.34.0.0/24 -o parent=eth9 inner",
        sleeper("one", "--net inner"),
        inside("one"),
        "rm -f one",
        "network rm inner recipe",
    ),
    "macvlan-errors": (
        *_WIRE,
        "network create -d macvlan -o parent=nosuch0 bad1",
        "network create -d macvlan -o parent=lo bad2",
        "network create -d macvlan -o parent=eth9.0 bad3",
        "network create -d macvlan -o parent=eth9.4095 bad4",
        "network create -d macvlan -o parent=eth9.x bad5",
        "network create -d macvlan -o parent=eth7.5 bad6",
        "network create -d macvlan -o parent=eth9 -o macvlan_mode=l2 bad7",
        "network create -d macvlan -o parent=eth9 -o macvlan_mode=passthru whole",
        "network create -d macvlan -o parent=eth9 bad8",
        "network ls --format {{.Name}}",
    ),
}

_NO_GATEWAY = Difference(
    "as Docker 28 and later, an internal network reserves no gateway, since there is none",
    oracle=r"out .*10\.34\.0\.2\b.*",
    ours=r"out .*10\.34\.0\.1\b.*",
)

DIFFERENCES: dict[str, tuple[Difference, ...]] = {
    "macvlan": (
        FAMILIES,
        LOOPBACK_V6,
        Difference(
            "it is said who is attached",
            oracle=r"err Error response from daemon: error while removing network: .* has active endpoints",
            ours=r"err Error .*: error while removing network: .* has active endpoints \(.*\)",
        ),
    ),
    "macvlan-settings": (
        FAMILIES,
        LOOPBACK_V6,
        _NO_GATEWAY,
        Difference(
            "the gateway is shown also where it was not asked for",
            oracle=r'out  "Subnet": "10\.33\.0\.0/24"',
            ours=r'out  ("Subnet": "10\.33\.0\.0/24",|"Gateway": "10\.33\.0\.1")',
        ),
    ),
    "macvlan-errors": (
        Difference(
            "in words that can be understood",
            oracle=r"err .*: -o parent interface does was not found on the host: eth7",
            ours=r"err .*: parent interface eth7 was not found on the host",
        ),
        Difference(
            "the modes there are are named",
            oracle=r"err .*: requested macvlan mode 'l2' is not valid, .* driver default",
            ours=r"err .*: requested macvlan mode 'l2' is not valid, .* driver default; there are .*",
        ),
        Difference(
            "as Docker 27 and later, macvlan networks share a parent unless one has it whole; it is named",
            oracle=r"err .*: network dm-\S+ is already using parent interface eth9",
            ours=r"err .*: macvlan network .* is already using parent interface eth9 in mode passthru \(.*\)",
        ),
    ),
}
