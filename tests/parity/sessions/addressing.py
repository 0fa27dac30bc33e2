"""Sessions about IPv6 networks and about which addresses come next."""

from tests.parity.difference import Difference
from tests.parity.sessions.words import FAMILIES, HOLDER, networks, sleeper

SCENARIOS: dict[str, tuple[str, ...]] = {
    "ipv6": (
        "network create --ipv6 --subnet fd00:7::/64 six",
        "network create --ipv6 automatic",
        sleeper("one", "--net six"),
        sleeper("two", "--net six --ip6 fd00:7::77"),
        "network inspect -f '{{.EnableIPv6}} {{range .IPAM.Config}}{{.Subnet}} {{end}}' six",
        "sorted: network inspect -f '{{range .Containers}}{{.Name}} {{.IPv6Address}}{{println}}{{end}}' six",
        "exec one ip -o -6 address show scope global",
        "exec one ip -6 route",
        "exec one cat /etc/hosts",
        "exec one ping -6 -c 1 -W 2 fd00:7::77",
        "exec one nslookup -type=aaaa two 127.0.0.11",
        "run --rm --net six --ip6 fd00:7::77 busybox true",
        "run --rm --net six --ip6 fd00:8::77 busybox true",
        "network disconnect six one",
        "network connect --ip6 fd00:7::99 six one",
        "exec one ip -o -6 address show scope global",
    ),
    "configurations": (
        "network create --config-only --subnet 10.9.0.0/24 --label tier=back settings",
        "network create --config-from settings made",
        "network ls --format '{{.Name}} {{.Driver}} {{.Scope}} {{.Internal}}'",
        "network inspect settings made",
        "network create --config-from settings again",
        "network create --config-from nowhere lost",
        "network create --config-from settings --subnet 10.10.0.0/24 mixed",
        "network create --config-from settings -o com.docker.network.driver.mtu=1400 mixed",
        "network create --config-only --internal closed",
        "network create --config-only --config-from settings deep",
        sleeper("one", "--net made"),
        networks("one"),
        "network rm settings",
        sleeper("two", "--net settings"),
        "network connect settings one",
        "rm -f one two",
        "network rm made",
        "sorted: network prune -f",
        "network rm settings",
        "network ls --format {{.Name}}",
    ),
    "reuse": (
        "network create plain",
        sleeper("one", "--net plain"),
        sleeper("two", "--net plain"),
        "restart -t 0 two",
        networks("two"),
        "rm -f one",
        sleeper("three", "--net plain"),
        networks("three"),
        "stop -t 0 two",
        "start two",
        networks("two"),
    ),
}

DIFFERENCES: dict[str, tuple[Difference, ...]] = {
    "ipv6": (
        HOLDER,
        Difference(
            "the wording of Docker 29",
            oracle=r"err .* Invalid address fd00:8::77: It does not belong to any of this network's subnets",
            ours=r"err (docker: .* invalid endpoint settings:|no configured subnet contains .* fd00:8::77)",
        ),
        Difference(
            "as Docker 28 and later, an interface takes the lowest free number",
            oracle=r"out N: eth1 inet6 fd00:7::99/64 .*",
            ours=r"out N: eth0 inet6 fd00:7::99/64 .*",
        ),
        Difference(
            "as Docker 27 and later, a network without a chosen IPv6 block gets one of the host's own",
            oracle=r"exit 1|err Error .* could not find an available, non-overlapping IPv6 address pool .*",
            ours=r"exit 0|out ID",
        ),
    ),
    "configurations": (
        FAMILIES,
        Difference(
            "the gateway that a network has is shown, as Docker does since 25",
            oracle=r'out  "Subnet": "10.9.0.0/24"',
            ours=r'out  "(Subnet": "10.9.0.0/24",|Gateway": "10.9.0.1")',
        ),
        Difference(
            "the wording of Docker 25 and later",
            oracle=r"err Error .* user specified configurations are not supported .*",
            ours=r"err Error .* user-specified configurations are not supported .*",
        ),
        Difference(
            "what is in the way, or in use, is said by name",
            oracle=r"err .*(Pool overlaps with other one on this address space|is in use|-only network)",
            ours=r"err .*(of network made|is in use by made|-only network settings)",
        ),
    ),
    "reuse": (
        Difference(
            "an address given back is the last to be given again",
            oracle=r"out plain 172.18.0.2/16 via .*",
            ours=r"out plain 172.18.0.4/16 via .*",
        ),
    ),
}
