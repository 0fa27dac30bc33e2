"""Where a plugin is looked for, in which order, and what its file may say."""

import json
import socket
from pathlib import Path

import pytest

from bridgehead.core.model.errors import PluginMissing, PluginUnreachable
from bridgehead.host.plugin.discovery import Folders, find, known
from bridgehead.host.plugin.location import TLS
from tests.host.plugin.scripted import folders


def _listen(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_the_first_of_dockers_places_wins(tmp_path: Path) -> None:
    last_first = [
        *("lib/tp/tp.json", "lib/tp.json", "lib/tp/tp.spec", "lib/tp.spec"),
        *("etc/tp/tp.json", "etc/tp.json", "etc/tp/tp.spec", "etc/tp.spec"),
        *("run/tp/tp.sock", "run/tp.sock"),
    ]

    for number, place in enumerate(last_first):
        path = tmp_path / place
        address = f"tcp://127.0.0.1:{number + 1}"
        if path.suffix == ".sock":
            _listen(path)
        else:
            _write(path, address if path.suffix == ".spec" else json.dumps({"Addr": address}))

        assert find("tp", folders(tmp_path)).source == str(path)
    assert known(folders(tmp_path)) == ["tp"]


@pytest.mark.parametrize(
    ("suffix", "text", "address"),
    [
        ("spec", "tcp://127.0.0.1:80\n", "http://127.0.0.1:80"),
        ("spec", "http://[::1]:80", "http://[::1]:80"),
        ("spec", "https://example.test", "https://example.test"),
        ("spec", "unix:///run/x.sock", "unix:///run/x.sock"),
        ("json", '{"Name": "tp", "Addr": "tcp://h:1", "TLSConfig": {}}', "https://h:1"),
        ("json", '{"Addr": "tcp://h:1", "TLSConfig": null, "More": 1}', "http://h:1"),
        ("json", '{"Addr": "unix:///x", "TLSConfig": {}}', "unix:///x"),
    ],
)
def test_a_file_tells_the_address(tmp_path: Path, suffix: str, text: str, address: str) -> None:
    _write(tmp_path / f"etc/tp.{suffix}", text)

    assert find("tp", folders(tmp_path)).address == address


def test_a_file_tells_what_to_trust(tmp_path: Path) -> None:
    tls = {"InsecureSkipVerify": True, "CAFile": "/ca", "CertFile": "/cert", "KeyFile": "/key"}
    _write(tmp_path / "etc/tp.json", json.dumps({"Addr": "https://h", "TLSConfig": tls}))

    assert find("tp", folders(tmp_path)).tls == TLS(
        insecure_skip_verify=True, ca_file="/ca", cert_file="/cert", key_file="/key"
    )


@pytest.mark.parametrize(
    ("suffix", "text", "complaint"),
    [
        ("spec", "", "'' does not begin with unix://"),
        ("spec", "localhost:80", "does not begin with unix://"),
        ("spec", "ftp://h", "does not begin with unix://"),
        ("spec", "tcp://", "is not just a host and a port"),
        ("spec", "tcp://h/path", "is not just a host and a port"),
        ("spec", "tcp://user:word@h", "is not just a host and a port"),
        ("spec", "tcp://h:99999", "Port out of range"),
        ("spec", "tcp://[::1", "Invalid IPv6 URL"),
        ("spec", "unix://relative", "names no absolute path"),
        ("spec", "x" * 100_000, "…' does not begin with"),
        ("json", "{", "truncated"),
        ("json", "[" * 5000, "Expected `object`"),
        ("json", '{"Addr": 5}', "Expected `str`, got `int`"),
    ],
    ids=lambda text: text[:20],
)
def test_a_file_that_tells_nothing_is_named(tmp_path: Path, suffix: str, text: str, complaint: str) -> None:
    path = tmp_path / f"etc/tp.{suffix}"
    _write(path, text)

    with pytest.raises(PluginUnreachable) as caught:
        find("tp", folders(tmp_path))

    assert caught.value.message.startswith(f'plugin "tp" cannot be reached: {path}: ')
    assert complaint in caught.value.message


def test_a_missing_plugin_is_told_with_every_folder() -> None:
    with pytest.raises(PluginMissing) as caught:
        find("nope", Folders(("/nowhere/run",), ("/nowhere/etc", "/nowhere/lib")))

    assert caught.value.message == (
        'plugin "nope" not found: looked for nope.sock in /nowhere/run, '
        "nope.spec and nope.json in /nowhere/etc, /nowhere/lib"
    )


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../x", "a/b", "/etc/passwd", ".hidden", "a\0b", "é", "x" * 200]
)
def test_a_name_never_leads_out_of_the_folders(tmp_path: Path, name: str) -> None:
    _listen(tmp_path / "x.sock")
    (tmp_path / "run").mkdir()

    with pytest.raises(PluginMissing, match="a plugin's name consists of"):
        find(name, folders(tmp_path))


def test_what_is_no_socket_is_no_plugin(tmp_path: Path) -> None:
    _write(tmp_path / "run/tp.sock", "")
    (tmp_path / "run/other.sock").mkdir()

    for name in ("tp", "other"):
        with pytest.raises(PluginMissing):
            find(name, folders(tmp_path))


def test_every_name_is_known(tmp_path: Path) -> None:
    for name in ("run/a.sock", "run/b/b.sock"):
        _listen(tmp_path / name)
    for name in ("etc/c.spec", "lib/d.json", "lib/e/e.spec", "lib/readme.txt", "lib/f/g.spec", "lib/.h.spec"):
        _write(tmp_path / name, "tcp://h")

    assert known(folders(tmp_path)) == ["a", "b", "c", "d", "e"]
    assert known(Folders(("/nowhere",), ())) == []
