from tests.cli.scripted import Says, says


def test_top_has_wide_columns_and_passes_options_on(daemon, bridgehead):
    daemon.on("GET", "/containers/a/top", says({"Titles": ["PID", "CMD"], "Processes": [["7", "sleep 9"]]}))

    outcome = bridgehead("top", "a", "-o", "pid,cmd")

    assert outcome.out == "PID                 CMD\n7                   sleep 9\n"
    assert daemon.asked[0].query == {"ps_args": ["-o pid,cmd"]}


def test_diff_has_a_letter_for_each_kind(daemon, bridgehead):
    changes = [{"Kind": 0, "Path": "/etc"}, {"Kind": 1, "Path": "/etc/new"}, {"Kind": 2, "Path": "/old"}]
    daemon.on("GET", "/containers/a/changes", says(changes))

    assert bridgehead("diff", "a").out == "C /etc\nA /etc/new\nD /old\n"


def test_diff_of_nothing_is_nothing(daemon, bridgehead):
    daemon.on("GET", "/containers/a/changes", says(None))

    assert bridgehead("diff", "a").out == ""


def test_export_writes_a_whole_file(daemon, bridgehead, tmp_path):
    daemon.on("GET", "/containers/a/export", Says(chunks=(b"tar", b"ball")))
    (tmp_path / "out").write_text("before")

    assert bridgehead("export", "-o", str(tmp_path / "out"), "a").code == 0
    assert (tmp_path / "out").read_bytes() == b"tarball"


def test_a_file_stays_as_it_was_when_there_is_no_answer(daemon, bridgehead, tmp_path):
    (tmp_path / "out").write_text("before")

    missing = bridgehead("export", "-o", str(tmp_path / "out"), "nope")

    assert missing.code == 1
    assert [path.name for path in tmp_path.iterdir() if path.name != "d.sock"] == ["out"]
    assert (tmp_path / "out").read_text() == "before"


def test_save_names_every_image(daemon, bridgehead):
    daemon.on("GET", "/images/get", Says(body=b"tar"))

    assert bridgehead("save", "a", "b:v1").out == "tar"
    assert daemon.asked[0].query == {"names": ["a", "b:v1"]}
