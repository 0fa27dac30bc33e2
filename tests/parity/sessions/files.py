"""Sessions about containers' files, and where we mean to differ."""

from tests.parity.difference import Difference

_CHANGE = (
    "cd /tmp; mkdir -p a/b; echo x > a/b/c; ln -s a/b link; rm /etc/group; echo x >> /etc/passwd; sleep 1000"
)
_COPIED = "-f event=archive-path -f event=extract-to-dir --format '{{.Action}} {{.Actor.Attributes.name}}'"

SCENARIOS: dict[str, tuple[str, ...]] = {
    "copying": (
        f"run -d --name live -v /run/shared:/shared busybox sh -c '{_CHANGE}'",
        "create --name idle -v /run/shared:/shared busybox true",
        "until x: exec live cat /tmp/a/b/c",
        "sorted: diff live",
        "sorted: diff idle",
        "cp /etc/debian_version idle:/tmp",
        "cp /etc/debian_version idle:/tmp/renamed",
        "cp /etc/debian_version idle:/shared/",
        "cp /etc/debian_version live:/tmp/link/",
        "exec live ls /tmp/a/b /shared",
        "cp /etc/nowhere idle:/",
        "cp idle:/nowhere /tmp",
        "cp live:/tmp/link/nowhere -",
        "cp nobody:/etc /tmp",
        "cp /etc/debian_version nobody:/etc",
        "sorted: diff idle",
        "start -a idle",
        "sorted: diff idle",
        "create --name fixed --read-only -v /run/shared:/shared:ro busybox true",
        "cp /etc/debian_version fixed:/tmp",
        "cp /etc/debian_version fixed:/shared",
        "diff nobody",
        "export nobody",
        "run --rm -v /run/shared:/shared busybox ls /shared",
        f"sorted until extract: events --since 1m --until 0s {_COPIED}",
    ),
}

DIFFERENCES: dict[str, tuple[Difference, ...]] = {}
