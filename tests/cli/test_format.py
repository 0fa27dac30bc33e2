import pytest

from bridgehead.cli.format import duration, ellipsis, natural, short, size, table


def test_columns_are_ten_wide_at_least_and_three_apart():
    rows = [("161fab5e5d1d", "bridge", "bridge", "local"), ("5b88eb1242d5", "a-long-name", "host", "local")]

    printed = table(("NETWORK ID", "NAME", "DRIVER", "SCOPE"), rows)

    assert printed == (
        "NETWORK ID     NAME          DRIVER    SCOPE\n"
        "161fab5e5d1d   bridge        bridge    local\n"
        "5b88eb1242d5   a-long-name   host      local"
    )


def test_an_empty_table_is_its_headings():
    assert table(("CONTAINER ID", "IMAGE", "NAMES"), []) == "CONTAINER ID   IMAGE     NAMES"


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0.2, "Less than a second"),
        (1, "1 second"),
        (59, "59 seconds"),
        (61, "About a minute"),
        (3 * 60 + 5, "3 minutes"),
        (59 * 60, "59 minutes"),
        (3600, "About an hour"),
        (2 * 3600, "2 hours"),
        (47 * 3600, "47 hours"),
        (48 * 3600, "2 days"),
        (13 * 86400, "13 days"),
        (14 * 86400, "2 weeks"),
        (59 * 86400, "8 weeks"),
        (60 * 86400, "2 months"),
        (729 * 86400, "24 months"),
        (800 * 86400, "2 years"),
    ],
)
def test_durations_are_said_as_docker_says_them(seconds, expected):
    assert expected == duration(seconds)


@pytest.mark.parametrize(
    ("count", "expected"), [(0, "0B"), (999, "999B"), (1215488, "1.22MB"), (2_000_000, "2MB"), (5e9, "5GB")]
)
def test_sizes_are_powers_of_a_thousand(count, expected):
    assert expected == size(count)


def test_long_words_end_in_an_ellipsis():
    assert ellipsis("sh -c 'while true; do sleep 1; done'", 20) == "sh -c 'while true; …"
    assert ellipsis("sh", 20) == "sh"


def test_ids_are_shown_by_their_first_twelve_digits():
    assert short("sha256:0123456789abcdef") == "0123456789ab"


def test_names_sort_by_the_numbers_in_them():
    assert sorted(["n10", "n1", "n2"], key=natural) == ["n1", "n2", "n10"]
