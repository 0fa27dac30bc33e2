"""Programs that write to places of the machine's: a test host can have its own copy of one."""

from tests.support.testhost import Host


def own_folder(host: Host, path: str) -> None:
    """From now on, what is written below `path` on this host lands in the host's own folder."""
    layers = host.folder / f"own{path.replace('/', '-')}"
    (layers / "upper").mkdir(parents=True)
    (layers / "work").mkdir()
    options = f"lowerdir={path},upperdir={layers / 'upper'},workdir={layers / 'work'}"
    host.run("mount", "-t", "overlay", "overlay", "-o", options, path)
