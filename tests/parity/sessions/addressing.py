"""Sessions about IPv6 networks and about which addresses come next."""

from tests.parity.difference import Difference
from tests.parity.sessions.words import HOLDER, networks, sleeper

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
    "reuse": (
        Difference(
            "an address given back is the last to be given again",
            oracle=r"out plain 172.18.0.2/16 via .*",
            ours=r"out plain 172.18.0.4/16 via .*",
        ),
    ),
}
