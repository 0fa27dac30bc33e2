"""Examples for `--help` and the manual: by the verb's name, what for and which words."""

from collections.abc import Mapping, Sequence

Example = tuple[str, str]

EXAMPLES: Mapping[str, Sequence[Example]] = {
    "network create": (
        ("A bridge network; subnet and gateway are chosen", "network create backend"),
        (
            "A subnet of your own, and IPv6 beside it",
            "network create --ipv6 --subnet 10.1.0.0/16 --subnet fd00:1::/64 backend",
        ),
        ("Containers that reach each other and nothing else", "network create --internal vault"),
        (
            "Containers on the LAN of eth0",
            "network create -d macvlan --subnet 192.168.1.0/24 -o parent=eth0 lan",
        ),
    ),
    "network connect": (
        ("A second network for a running container", "network connect backend web"),
        ("With an address and another name in it", "network connect --ip 10.1.0.7 --alias db backend web"),
    ),
    "network disconnect": (("Also when the container is stuck", "network disconnect -f backend web"),),
    "network inspect": (
        ("Its subnets", "network inspect -f '{{range .IPAM.Config}}{{.Subnet}} {{end}}' backend"),
        ("Who is in it", "network inspect -f '{{range .Containers}}{{.Name}} {{end}}' backend"),
    ),
    "network ls": (
        ("Networks that nobody uses", "network ls --filter dangling=true"),
        ("Columns of your own", "network ls --format 'table {{.Name}}\\t{{.Driver}}\\t{{.Internal}}'"),
    ),
    "network prune": (("Those made more than a day ago", "network prune --filter until=24h"),),
    "network rm": (("Without an error when it is gone already", "network rm -f backend"),),
    "run": (
        ("A shell that leaves nothing behind", "run -it --rm busybox sh"),
        ("In the background, reached at port 8080 of the host", "run -d --name web -p 8080:80 nginx"),
        (
            "In a network of your own, with an address",
            "run -d --network backend --ip 10.1.0.5 --name db busybox sleep 1d",
        ),
        (
            "In two networks at once",
            "run -d --network front --network name=backend,alias=api busybox sleep 1d",
        ),
    ),
    "create": (("Made now, started later", "create --name job busybox echo done"),),
    "exec": (
        ("A shell in a running container", "exec -it web sh"),
        ("Its routes", "exec web ip route"),
    ),
    "ps": (
        ("Stopped ones too", "ps -a"),
        (
            "Who is in a network, and where it is published",
            "ps --filter network=backend --format '{{.Names}}: {{.Ports}}'",
        ),
    ),
    "inspect": (
        (
            "A container's addresses",
            "inspect -f '{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}' web",
        ),
        ("Of several kinds at once", "inspect web backend"),
    ),
    "logs": (("The last ten lines, and what comes", "logs -f --tail 10 web"),),
    "cp": (
        ("Into a container", "cp site.conf web:/etc/site.conf"),
        ("Out of it, as an archive", "cp web:/var/log - | tar -t"),
    ),
    "stats": (("Once, instead of again and again", "stats --no-stream"),),
    "update": (("More memory for a running container", "update --memory 512m --memory-swap 1g web"),),
    "events": (("What happens to networks", "events --filter type=network"),),
    "images": (("By name", "images 'example/*'"),),
    "pull": (("By its tag", "pull busybox:1.36"),),
    "push": (("To a registry of your own", "push registry.example:5000/web:v2"),),
    "save": (("Two images in one archive", "save -o images.tar web:v2 busybox"),),
    "load": (("What save has written", "load -i images.tar"),),
    "import": (("A root file system, with a command", "import -c 'CMD [\"sh\"]' root.tar example/root"),),
    "volume create": (("With a name", "volume create data"),),
    "volume prune": (("Named ones as well", "volume prune --all"),),
    "system prune": (("Without being asked", "system prune -f"),),
    "system df": (("One line for each object", "system df -v"),),
    "sandbox add": (
        (
            "A namespace made with `ip netns add guest`",
            "sandbox add --netns /run/netns/guest --network backend guest",
        ),
        ("The namespace of a process", "sandbox add --pid 4711 --network backend guest"),
    ),
    "completion": (
        ("For bash, from the next shell on", "completion bash > /etc/bash_completion.d/bridgehead"),
        ("For zsh", "completion zsh > /usr/local/share/zsh/site-functions/_bridgehead"),
        ("For fish", "completion fish > ~/.config/fish/completions/bridgehead.fish"),
    ),
    "man": (("Where man finds it", "man > /usr/local/share/man/man1/bridgehead.1"),),
}
