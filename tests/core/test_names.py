"""What can be a name, an id, a slug or the path of an artifact."""

from __future__ import annotations

import os
import random
import threading
from pathlib import Path, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker import names
from tracker.exceptions import InvalidNameError

from .processes import fork, wait


def test_ids_sort_by_time_and_never_repeat() -> None:
    """32 hex digits of a version 7 UUID, strictly rising within a process, from any thread."""
    found: list[list[str]] = [[] for _ in range(4)]
    threads = [
        threading.Thread(target=lambda into=into: into.extend(names.new_id() for _ in range(500))) for into in found
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(into == sorted(into) for into in found)
    ids = [one for into in found for one in into]
    assert len(set(ids)) == 2000
    assert all(names.is_run_id(one) and one[12] == "7" and one[16] in "89ab" for one in ids)


def test_run_names_are_readable_and_leave_the_random_state_alone() -> None:
    """A name such as brave-otter-417 does not change what a seeded script draws next."""
    random.seed(7)
    expected = random.Random(7).random()
    adjective, noun, number = names.new_run_name().split("-")
    assert adjective.isalpha() and noun.isalpha() and number.isdigit()
    assert random.random() == expected


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on Windows")
def test_forked_children_choose_names_of_their_own(tmp_path: Path) -> None:
    """Children that were forked one after the other do not all draw the same names."""
    children = [fork(lambda i=i: (tmp_path / str(i)).write_text(names.new_run_name() * 3)) for i in range(4)]
    assert wait(*children) == [0] * 4
    assert len({(tmp_path / str(i)).read_text() for i in range(4)}) > 1


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Digits sweep, v2!", "digits-sweep-v2"),
        ("Änderung", "anderung"),
        ("../../etc/passwd", "etc-passwd"),
        ("实验", "experiment"),
        ("CON", "experiment-con"),
        ("...", "experiment"),
        ("x" * 300, "x" * 60),
    ],
)
def test_a_slug_is_safe_on_every_system(name: str, slug: str) -> None:
    """Letters, digits and dashes, no reserved word of Windows, not too long."""
    assert names.slug_of(name) == slug


@given(st.text())
def test_every_name_has_a_safe_slug(name: str) -> None:
    """Whatever somebody types, the folder is one that `is_slug` allows."""
    assert names.is_slug(names.slug_of(name))


@pytest.mark.parametrize(
    "name", ["recall@5", "a/b", "val loss (mean)", "🦦", "../up", "a" * 500, "naïve", "<b>", "\u202e"]
)
def test_any_visible_text_can_be_a_name(name: str) -> None:
    """Names stand inside of files, so no character needs to be forbidden that can be seen."""
    assert names.check_name(name, "A metric name") == name


@pytest.mark.parametrize("name", ["", "  ", "a\0b", "a\nb", "\x7f", "a" * 501, "\ud800", 5, None, b"loss"])
def test_what_is_no_name_is_refused(name: object) -> None:
    """Empty, too long, with control characters, or no text: an error that says which kind of name it was."""
    with pytest.raises(InvalidNameError, match="A metric name"):
        names.check_name(name, "A metric name")


@pytest.mark.parametrize("run_id", ["", "../x", "A" * 32, "0" * 31, "0" * 33, "g" * 32, 7, None, "0" * 31 + "\n"])
def test_what_is_no_run_id_is_refused(run_id: object) -> None:
    """A run id is 32 lower-case hex digits and nothing else."""
    with pytest.raises(InvalidNameError):
        names.check_run_id(run_id)


@pytest.mark.parametrize(
    "path", ["a.txt", "plots/loss.png", "a/b/c/d", "ünï/🦦.bin", "with blank.txt", ".hidden", "a..b"]
)
def test_a_relative_path_can_be_an_artifact(path: str) -> None:
    """Ordinary paths are taken as they are."""
    assert names.check_artifact_path(path).as_posix() == path


def test_a_path_object_can_be_an_artifact() -> None:
    """Also one with the separators of Windows."""
    assert names.check_artifact_path(PureWindowsPath("plots\\loss.png")).as_posix() == "plots/loss.png"


UNSAFE = [
    *("", ".", "..", "../x", "a/../b", "a/..", "./a", "a//b", "/a", "//a", "a/", "~/a", "~root/a"),
    *(
        "\\a",
        "a\\b",
        "..\\a",
        "C:/a",
        "C:a",
        "c:\\a",
        "\\\\server\\share",
        "file:a",
        "file:///a",
        "http://h/a",
        "s3://b/a",
    ),
    *("a\0b", "a\nb", "a\x7fb", "%2e%2e/a", "%2E%2E/a", "a%2fb", "a%5Cb", "a%00b"),
    *("con", "nul.txt", "COM1", "aux/x", "lpt9.log", "a.", "a ", " a", "a./b", "a /b"),
    *("a:b", "a*b", "a?b", 'a"b', "a<b", "a>b", "a|b", ".new-1", "a/.new-1", "a" * 241, "a/" * 600 + "a", "\ud800"),
]


@pytest.mark.parametrize("path", UNSAFE)
def test_an_unsafe_path_is_refused(path: str) -> None:
    """Nothing that leads out, is absolute, or means something else on another system can be an artifact."""
    with pytest.raises(InvalidNameError, match="An artifact path"):
        names.check_artifact_path(path)
