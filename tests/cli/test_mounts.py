import pytest

from bridgehead.cli.mounts import anonymous, binds, mount


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("type=bind,src=/a,dst=/b,ro", {"Type": "bind", "Source": "/a", "Target": "/b", "ReadOnly": True}),
        ("src=data,target=/b,readonly=false", {"Type": "volume", "Source": "data", "Target": "/b"}),
        (
            "type=bind,source=/a,destination=/b,bind-propagation=rshared",
            {"Type": "bind", "Source": "/a", "Target": "/b", "BindOptions": {"Propagation": "rshared"}},
        ),
        (
            "type=tmpfs,dst=/x,tmpfs-size=64m,tmpfs-mode=1770",
            {"Type": "tmpfs", "Target": "/x", "TmpfsOptions": {"SizeBytes": 64 << 20, "Mode": 0o1770}},
        ),
        (
            "dst=/x,volume-nocopy,volume-label=a=b,volume-driver=local,volume-opt=type=nfs,volume-opt=o=rw",
            {
                "Type": "volume",
                "Target": "/x",
                "VolumeOptions": {
                    "NoCopy": True,
                    "Labels": {"a": "b"},
                    "DriverConfig": {"Name": "local", "Options": {"type": "nfs", "o": "rw"}},
                },
            },
        ),
    ],
)
def test_mounts_are_spelled_out(text, expected):
    assert expected == mount(text)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("bad", "invalid field 'bad' must be a key=value pair"),
        ("type=bind,src=/a", "target is required"),
        ("dst=/a,foo=bar", "unexpected key 'foo' in 'foo=bar'"),
        ("dst=/a,ro=maybe", "invalid value for ro: maybe"),
    ],
)
def test_a_mount_that_is_none_is_refused(text, sentence):
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        mount(text)


def test_volumes_without_a_source_have_no_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = ["/cache", "./here:/there:ro", "data:/data"]

    assert binds(words) == [f"{tmp_path}/here:/there:ro", "data:/data"]
    assert anonymous(words) == {"/cache": {}}
