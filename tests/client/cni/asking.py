"""What tests ask of a daemon, and what they expect to be refused."""

import pytest

from tests.support.cni import Namespace, PluginFailed, Runtime
from tests.support.daemon import Daemon


def sandboxes(daemon: Daemon) -> set[str]:
    return {entry["Name"].removeprefix("/") for entry in daemon.call("GET", "/sandboxes")[1]}


def refused(runtime: Runtime, where: Namespace, code: int, **options: object) -> str:
    with pytest.raises(PluginFailed) as failed:
        runtime.add(where, **options)  # type: ignore[arg-type]
    assert failed.value.code == code
    return failed.value.message
