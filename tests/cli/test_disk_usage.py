from tests.cli.scripted import says

IMAGE = {
    "Id": "sha256:" + "ab" * 32,
    "RepoTags": ["box:v1", "box:v2"],
    "Created": 0,
    "Size": 3_000_000,
    "SharedSize": 1_000_000,
    "Containers": 1,
}
CONTAINER = {
    "Id": "c" * 64,
    "Names": ["/web"],
    "Image": "box:v1",
    "Command": "sleep 1000",
    "Created": 0,
    "Status": "Up",
    "State": "running",
    "Ports": [],
    "Labels": {},
    "SizeRw": 500,
    "Mounts": [{"Driver": "local"}],
}
USAGE = {
    "LayersSize": 5_000_000,
    "Images": [IMAGE, {**IMAGE, "Containers": 0}],
    "Containers": [CONTAINER, {**CONTAINER, "State": "exited", "SizeRw": 1500}],
    "Volumes": [
        {"Name": "data", "UsageData": {"Size": 100, "RefCount": 1}},
        {"Name": "old", "UsageData": {"Size": 300, "RefCount": 0}},
        {"Name": "unknown", "UsageData": {"Size": -1, "RefCount": -1}},
    ],
}


def test_df_says_what_could_be_had_back(daemon, bridgehead):
    daemon.on("GET", "/system/df", says(USAGE))

    assert bridgehead("system", "df").out == (
        "TYPE            TOTAL     ACTIVE    SIZE      RECLAIMABLE\n"
        "Images          2         1         5MB       3MB (60%)\n"
        "Containers      2         1         2kB       1.5kB (75%)\n"
        "Local Volumes   3         1         400B      300B (75%)\n"
        "Build Cache     0         0         0B        0B\n"
    )


def test_df_in_detail_has_a_line_for_each(daemon, bridgehead):
    daemon.on("GET", "/system/df", says(USAGE))

    lines = [line.split() for line in bridgehead("system", "df", "-v").out.splitlines()]

    assert ["data", "1", "100B"] in lines
    assert ["3MB", "1MB", "2MB", "1"] in [line[-4:] for line in lines if line[:2] == ["box", "v1"]]
    assert [line for line in lines if line[:1] == ["cccccccccccc"] and "500B" in line]
