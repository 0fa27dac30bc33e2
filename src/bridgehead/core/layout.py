"""Where things lie on the machine. Pure text: paths and kernel names derived from ids."""

from dataclasses import dataclass

from bridgehead.core.model.ids import ContainerID, EndpointID, NetworkID, SandboxID, VolumeName


@dataclass(frozen=True, slots=True)
class Layout:
    """`data_root` survives a reboot; `exec_root` (a tmpfs on most hosts) need not."""

    data_root: str
    exec_root: str

    @property
    def database(self) -> str:
        return f"{self.data_root}/bridgehead.db"

    @property
    def containers(self) -> str:
        return f"{self.data_root}/containers"

    @property
    def layers(self) -> str:
        return f"{self.data_root}/layers"

    @property
    def volumes(self) -> str:
        return f"{self.data_root}/volumes"

    @property
    def namespaces(self) -> str:
        return f"{self.exec_root}/netns"

    @property
    def bundles(self) -> str:
        return f"{self.exec_root}/bundles"

    @property
    def resolver_socket(self) -> str:
        return f"{self.exec_root}/resolver.sock"

    @property
    def ports_socket(self) -> str:
        return f"{self.exec_root}/ports.sock"

    def container(self, container: ContainerID) -> str:
        return f"{self.containers}/{container}"

    def rootfs(self, container: ContainerID) -> str:
        return f"{self.containers}/{container}/rootfs"

    def volume(self, name: VolumeName) -> str:
        """Its content, in a folder of its own so that others may lie beside it."""
        return f"{self.volumes}/{name}/_data"

    def bundle(self, container: ContainerID) -> str:
        return f"{self.bundles}/{container}"

    def namespace(self, sandbox: SandboxID) -> str:
        return f"{self.namespaces}/{sandbox[:12]}"

    def layer(self, diff_id: str) -> str:
        return f"{self.layers}/{diff_id.removeprefix('sha256:')}"


def bridge_name(network: NetworkID) -> str:
    return f"br-{network[:12]}"


def veth_name(endpoint: EndpointID) -> str:
    return f"veth{endpoint[:7]}"
