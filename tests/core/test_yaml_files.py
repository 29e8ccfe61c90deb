"""The files that people edit: whatever was written is read back, and what people wrote stays."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.schema import Change, ExperimentFile, RegisteredModelFile, StoreFile
from tracker.yaml_files import YamlError, edit_yaml, read_plain_yaml, read_yaml, yaml_bytes

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
EXPERIMENTS = st.builds(
    ExperimentFile,
    id=TEXT.filter(bool),
    name=TEXT.filter(bool),
    description=TEXT,
    tags=st.dictionaries(TEXT, TEXT),
    goal=st.dictionaries(TEXT, st.sampled_from(["minimize", "maximize"])),
)


@given(EXPERIMENTS)
def test_every_text_comes_back(file: ExperimentFile) -> None:
    """Odd line breaks, quotes, emoji and words such as `yes` or `1e3` are read as they were written."""
    assert read_yaml(ExperimentFile, yaml_bytes(file)) == file


@pytest.mark.parametrize("word", ["yes", "no", "null", "~", "1.0", "1e3", "2026-11-23", "0x10", "on", "=", "<<"])
def test_words_that_people_type_stay_text(word: str) -> None:
    """YAML's own ideas about words and dates do not apply."""
    assert read_yaml(ExperimentFile, f"id: a\nname: {word}\n".encode()).name == word


def test_an_empty_field_counts_as_missing() -> None:
    """`description:` with nothing behind it is no mistake."""
    assert read_yaml(ExperimentFile, b"id: a\nname: b\ndescription:\ntags:\ngoal:\n") == ExperimentFile("a", "b")


def test_numbers_are_read_where_numbers_belong() -> None:
    """The schema is an integer, although every scalar is text."""
    assert read_yaml(StoreFile, b"schema: 1\n").schema == 1


@pytest.mark.parametrize(
    "data",
    [
        *(b"", b"# nothing", b"name: b", b"id: [1]\nname: b", b"- a", b"text", b"id: a\nname: b\ngoal: {x: up}"),
        *(b"id: &a x\nname: *a", b"id: a\nname: b\n---\nid: c", b"? [a]\n: b", b"id: a\nname: b\ntags: 3"),
        *(b"[" * 1_000_000, b"{a: " * 100_000, b"- " * 100_000, b"\xff\xfe\xff", b"id: 'a", b"\t- a", b"id: \x00"),
        b'!!python/object/apply:os.system ["true"]',
    ],
    ids=lambda data: data[:20].decode("latin-1"),
)
def test_damage_is_a_value_error(data: bytes) -> None:
    """Whatever stands in the file, reading raises a ValueError with a reason; deep nesting does not end the process."""
    with pytest.raises(ValueError, match=r"\w"):
        read_yaml(ExperimentFile, data)


def test_what_is_wrong_has_a_line() -> None:
    """An error says in which line of the file it is, as the text and as a number."""
    with pytest.raises(YamlError) as caught:
        read_plain_yaml(b"a: 1\nb: 2\nc: @\n")
    assert caught.value.line == 3
    assert str(caught.value).endswith("in line 3, column 4")
    assert "line" not in caught.value.reason
    with pytest.raises(YamlError, match="aliases") as caught:
        read_plain_yaml(b"a: &x 1\nb: *x\n")
    assert caught.value.line is None


def test_an_edit_keeps_what_people_wrote() -> None:
    """Only the field that changes is rewritten: comments, order and fields of others stay."""
    text = "# ours\nname: 'Digits'  # renamed\nid: '7'\ngoal:\n  loss: minimize\n\n# since May\nowner: Ada\n"
    new = ExperimentFile("7", "Digits", goal={"loss": "minimize", "acc": "maximize"}, description="Two\nlines\n")
    edited = edit_yaml(text.encode(), new, {"goal": new.goal, "description": new.description}).decode()
    assert edited == (
        "# ours\nname: 'Digits'  # renamed\nid: '7'\ngoal:\n  loss: minimize\n  acc: maximize\n\n# since May\n"
        "owner: Ada\ndescription: |\n  Two\n  lines\n"
    )


@given(EXPERIMENTS, EXPERIMENTS)
def test_an_edit_reads_as_it_should(old: ExperimentFile, new: ExperimentFile) -> None:
    """Whatever stood there before, the edited file is read as the new value."""
    new = ExperimentFile(old.id, old.name, new.description, new.tags, new.goal)
    fields = {"description": new.description, "tags": new.tags, "goal": new.goal}
    assert read_yaml(ExperimentFile, edit_yaml(yaml_bytes(old), new, fields)) == new


@pytest.mark.parametrize("indent", ["", "  "])
def test_items_are_added_behind_those_that_are_there(indent: str) -> None:
    """A list grows at its end, as far to the right as it is written; comments between its items stay."""
    head = "# ours\nname: iris\nhistory:\n"
    text = f"{head}{indent}# the beginning\n{indent}- time: '1'\n{indent}  action: alias\n\n# the end\ntags: {{}}\n"
    history = [Change("1", "alias"), Change("2", "alias", reason="a\n\nb")]
    new = RegisteredModelFile("iris", history=history)
    edited = edit_yaml(text.encode(), new, {}, appended={"history": history[1:]}).decode()
    assert edited == (
        f"{head}{indent}# the beginning\n{indent}- time: '1'\n{indent}  action: alias\n"
        f"{indent}- time: '2'\n{indent}  action: alias\n{indent}  reason: |-\n{indent}    a\n\n{indent}    b\n"
        "\n# the end\ntags: {}\n"
    )


@pytest.mark.parametrize("text", ["name: iris", "name: iris\nhistory: []\n", "{name: iris}", "name: iris\nhistory:"])
def test_a_list_begins_with_its_first_item(text: str) -> None:
    """Where a file has no such list yet, or one in brackets, the item is there afterwards."""
    new = RegisteredModelFile("iris", history=[Change("1", "alias")])
    assert read_yaml(RegisteredModelFile, edit_yaml(text.encode(), new, {}, appended={"history": new.history})) == new


def test_a_file_in_another_style_is_written_anew() -> None:
    """Where lines do not tell the fields, the whole file is written, and nothing is lost."""
    new = ExperimentFile("a", "b", tags={"k": "v"})
    assert read_yaml(ExperimentFile, edit_yaml(b"{id: a, name: b}", new, {"tags": new.tags})) == new
