"""The gate: what it finds in a registry of real models, and what its report says."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from tracker.exceptions import InvalidValueError, NotAStoreError
from tracker.registry import Registry, Report, check_registry
from tracker.registry.policy import DEFAULT_POLICY, Policy, StageRules, Threshold, parse_policy, read_policy
from tracker.registry.report import MAX_BYTES, Finding, ModelSummary, plain


def edit(store: Path, place: str, old: str, new: str) -> None:
    """Change a file of the registry as a person would."""
    path = store / "registry" / place
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def messages(report: Report, severity: str = "error") -> list[str]:
    """What was found, with its path."""
    return [f"{finding.path}: {finding.message}" for finding in report.findings if finding.severity == severity]


def model_of(store: Path, version: int) -> Path:
    """The folder of a version's model."""
    return Registry(store).version("iris", version).folder


def test_a_sound_registry_passes(store: Path) -> None:
    """Nothing is found, and the report says what there is."""
    report = check_registry(store)
    assert (report.findings, report.passed) == ((), True)
    assert report.summary == "1 model, 2 versions: 0 errors and 0 warnings"
    assert report.models == (ModelSummary("iris", 2, {"Staging": [1], "Production": [2]}, {"champion": "2"}),)
    assert "| iris | 2 | Staging: 1; Production: 2 | champion: 2 |" in report.to_markdown()


def test_checking_changes_nothing(store: Path) -> None:
    """Every file is as it was."""
    before = {path: path.read_bytes() for path in store.rglob("*") if path.is_file()}
    check_registry(store)
    assert {path: path.read_bytes() for path in store.rglob("*") if path.is_file()} == before


def test_a_folder_that_is_no_store(tmp_path: Path) -> None:
    """It is refused, rather than passed for having no errors."""
    with pytest.raises(NotAStoreError):
        check_registry(tmp_path / "nothing")


V1, V2, MODEL = "versions/1.yaml", "versions/2.yaml", "model.yaml"


@pytest.mark.parametrize(
    ("place", "old", "new", "expected"),
    [
        (V2, "stage: Production", "stage: Prodution", "no stage of 'iris'. Did you mean \"Production\"?"),
        (V2, "stage: Production", "stage: Archived", "The stage is Archived, but the history leads to Production"),
        (V1, "from: None", "from: Archived", "goes on from Archived, but it had led to None: a line is missing"),
        (V1, "version: 1", "version: 1\ndeleted: true", "`deleted` and the history say different things"),
        (V1, "version: 1", "version: 7", "is of version 7"),
        (V1, "path: experiments", "path: elsewhere", "no place for models"),
        (V2, "path: experiments/default", "path: experiments/gone", "The files of the model are gone"),
        (V2, "digest: sha256:", "digest: sha256:0", "not the one that was registered"),
        (V1, "action: stage", "action: stage\n  when: x\n  time: never", "'never' in the history is no time"),
        (MODEL, "champion: '2'", "champion: '9'", "The alias 'champion' does not work: There is no version 9"),
        (MODEL, "champion: '2'", "champion: champion", "lead in a circle: champion -> champion"),
        (MODEL, "champion: '2'", "champion: '2'\n  v7: '2'", "The alias 'v7' does not work"),
        (MODEL, "name: iris", "name: iris\nstages: [Review]", "'Staging' is no stage of 'iris'"),
        (MODEL, "name: iris", "name: [", "cannot be read"),
    ],
    ids=range(14),
)
def test_an_edit_that_went_wrong_is_an_error(store: Path, place: str, old: str, new: str, expected: str) -> None:
    """Each slip in a file is found, with the file that it is in."""
    edit(store, f"iris/{place}", old, new)
    report = check_registry(store)
    assert not report.passed
    found = [message for message in messages(report) if expected in message]
    assert found
    assert found[0].startswith("registry/iris/" if "stages" in new else f"registry/iris/{place}: ")
    assert str(store) not in report.to_markdown()


@pytest.mark.parametrize(
    ("place", "old", "new", "expected"),
    [
        (MODEL, "champion: '2'", "champion: '1'", "'champion' was set to '1' without a line in the history"),
        (MODEL, "aliases:\n  champion: '2'\n", "", "'champion' was removed without a line in the history"),
        (V1, "run_id: ", "run_id: 0", "that made it is not in the store"),
    ],
    ids=range(3),
)
def test_what_may_be_meant_so_is_a_warning(store: Path, place: str, old: str, new: str, expected: str) -> None:
    """It is listed, and the gate stays open."""
    edit(store, f"iris/{place}", old, new)
    report = check_registry(store)
    assert report.passed
    assert expected in messages(report, "warning")[0]


def test_a_history_that_goes_back_in_time_is_a_warning(store: Path) -> None:
    """Clocks differ, so it may be no forgery; it is named all the same."""
    path = store / "registry/iris/versions/1.yaml"
    text = path.read_text()
    first = text.index("time: '") + len("time: '")
    path.write_text(f"{text[:first]}2199{text[first + 4 :]}")
    assert "goes back in time" in messages(check_registry(store), "warning")[0]


def test_a_missing_number_is_an_error(store: Path) -> None:
    """Deleted versions keep their file, so a gap means that one was taken away; huge gaps are not counted out."""
    (store / "registry/iris/versions/1.yaml").unlink()
    assert messages(check_registry(store)) == [
        "registry/iris/versions/1.yaml: is missing. Bring the file back: deleted versions keep it."
    ]
    text = (store / "registry/iris/versions/2.yaml").read_text().replace("version: 2", "version: 2147483647")
    (store / "registry/iris/versions/2147483647.yaml").write_text(text)
    assert len([message for message in messages(check_registry(store)) if "is missing" in message]) == 10


def test_deleted_versions_need_no_files(store: Path) -> None:
    """Their history is checked, their model is not."""
    registry = Registry(store)
    registry.set_stage("iris", 1, "Archived", by="Ada")
    shutil.rmtree(model_of(store, 1))
    assert not check_registry(store).passed
    registry.delete_version("iris", 1, by="Ada")
    assert check_registry(store).findings == ()


@pytest.mark.parametrize("name", ["MLmodel", "model.skops", "requirements.txt", "manifest.json"])
def test_a_changed_file_of_a_model_is_an_error(store: Path, name: str) -> None:
    """One flipped bit anywhere in the folder of a model is found, and the file is named."""
    path = model_of(store, 2) / name
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    report = check_registry(store)
    assert not report.passed
    assert name in messages(report)[0]
    assert str(store) not in messages(report)[0]


def test_two_in_production_are_an_error_by_default(store: Path) -> None:
    """Without a policy at most one version may be there; a policy of one's own decides otherwise."""
    Registry(store).set_stage("iris", 1, "Production", by="Ada")
    assert messages(check_registry(store)) == [
        "registry/iris/versions/2.yaml: 2 versions of 'iris' are in Production, and 1 may be: 1, 2."
    ]
    (store / "registry/policy.yaml").write_text("stages: {}\n")
    assert check_registry(store).passed
    assert check_registry(store, policy=DEFAULT_POLICY).passed is False


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ("at_most: 0", "1 versions of 'iris' are in {}, and 0 may be: 1."),
        ("requires: [signature]", "{} needs a signature, and the model has none."),
        ("requires: [input_example]", "{} needs an input example, and the model has none."),
        ("requires: [safe_format]", "{} needs a safe format, and loading cloudpickle can run code."),
        ("requires: [description]", "{} needs a description of the version, and it has none."),
        ("metrics: {accuracy: '>= 0.9'}", "{} needs accuracy >= 0.9, and its run has 0.8."),
        ("metrics: {loss: '< 1'}", "{} needs loss < 1, and its run has nan."),
        ("metrics: {recall: '> 0'}", "{} needs recall > 0, and its run did not log recall."),
        ("by: [Grace]", "{} needs one of Grace to move a version there, and 'Ada' did."),
    ],
    ids=lambda value: value[:24],
)
def test_each_rule_of_a_policy(store: Path, rules: str, expected: str) -> None:
    """What the pickle in Staging lacks is an error there; the good version passes the same rule."""
    (store / "registry/policy.yaml").write_text(f"stages:\n  Staging:\n    {rules}\n")
    (found,) = messages(check_registry(store))
    assert found.startswith(f"registry/iris/versions/1.yaml: {expected.format('Staging')}")
    Registry(store).set_stage("iris", 1, "Archived", by="Ada")
    Registry(store).set_stage("iris", 2, "Staging", by="Grace")
    passes = "at_most" not in rules and "loss" not in rules and "recall" not in rules
    assert check_registry(store).passed == passes


def test_a_policy_of_everything(store: Path) -> None:
    """The policy of the documentation holds for the good version, and reasons are asked for."""
    text = (
        "stages:\n  Production:\n    at_most: 1\n"
        "    requires: [signature, input_example, safe_format, description, run]\n"
        "    metrics:\n      accuracy: '>= 0.9'\n    reason: true\n    by: [Ada, Grace]\n"
    )
    (store / "registry/policy.yaml").write_text(text)
    assert check_registry(store).findings == ()
    Registry(store).set_stage("iris", 1, "Production", by="Ada", archive_existing=True)
    assert [message.partition(": ")[2] for message in messages(check_registry(store))] == [
        "Production needs a signature, and the model has none.",
        "Production needs an input example, and the model has none.",
        "Production needs a safe format, and loading cloudpickle can run code. Save it as skops, for example.",
        "Production needs a description of the version, and it has none.",
        "Production needs accuracy >= 0.9, and its run has 0.8.",
        "Production needs a reason for the transition, and none was given.",
    ]


def test_the_run_that_a_policy_asks_for(store: Path) -> None:
    """A version whose run is gone or not known fails `run` and every threshold, with one sentence."""
    (store / "registry/policy.yaml").write_text("stages: {Staging: {requires: [run], metrics: {accuracy: '> 0'}}}")
    edit(store, "iris/versions/1.yaml", "run_id: ", "was: ")
    (found,) = messages(check_registry(store))
    assert found.endswith("Staging needs the run that made the version, and none is named.")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("stage: {}", "cannot have 'stage'. Did you mean \"stages\"?"),
        ("stages: {Production: {at_mots: 1}}", "cannot have 'at_mots'. Did you mean \"at_most\"?"),
        ("stages: {Production: {requires: [signatur]}}", "cannot have 'signatur'. Did you mean \"signature\"?"),
        ("stages: {Production: {requires: signature}}", "Expected `array`"),
        ("stages: {Production: {metrics: {accuracy: 0.9}}}", "Expected `str`"),
        ("stages: {Production: {metrics: {accuracy: about 1}}}", "'about 1' is no threshold"),
        ("stages: {Production: {metrics: {accuracy: '>= nan'}}}", "'>= nan' is no threshold"),
        ("stages: {Production: {at_most: one}}", "Expected `int | null`"),
        ("stages: {Production: {at_most: -1}}", ">= 0"),
        ("stages: {Production: {reason: maybe}}", "Expected `bool`"),
        ("stages: [Production]", "Expected `object`"),
        ("stages:", "Expected `object`"),
        ("- a", "cannot have 'a'"),
        ("a: [", "while parsing"),
        ("!!python/name:os.system", "could not determine a constructor"),
        ("stages: &a {}\nb: *a", "aliases are not read"),
    ],
    ids=lambda value: value[:30],
)
def test_a_slip_in_a_policy_closes_the_gate(store: Path, text: str, expected: str) -> None:
    """A word that there is not, or a value of another kind, is an error of the policy file, with the nearest word."""
    with pytest.raises(ValueError, match=r"\w"):
        parse_policy(text.encode())
    (store / "registry/policy.yaml").write_text(text)
    with pytest.raises(InvalidValueError, match=r"policy\.yaml: "):
        read_policy(store)
    (found,) = messages(check_registry(store))
    assert found.startswith("registry/policy.yaml: ")
    assert expected in found
    assert str(store) not in found


def test_a_policy_for_a_stage_that_no_model_has(store: Path) -> None:
    """Its rules would protect nothing, so that is an error."""
    (store / "registry/policy.yaml").write_text("stages: {Prodution: {at_most: 1}}")
    (found,) = messages(check_registry(store))
    assert "No model has the stage 'Prodution'. Did you mean \"Production\"?" in found


def test_policies_are_read_as_people_write_them() -> None:
    """Every rule may be left out, truth values are YAML's, and an empty file has no rules."""
    text = b"stages:\n  Production: {reason: yes, at_most: 2}\n  Staging: {metrics: {a: '<=-1e-3', b: ==1}}\n"
    policy = parse_policy(text)
    assert policy.stages["Production"] == StageRules(at_most=2, reason=True)
    assert policy.stages["Staging"].thresholds() == {"a": Threshold("<=", -0.001), "b": Threshold("==", 1.0)}
    assert parse_policy(b"") == parse_policy(b"# none\n") == Policy()


@pytest.mark.parametrize(
    ("text", "passing", "failing"),
    [("> 1", 2, 1), (">= 1", 1, 0.9), ("< 1", 0, 1), ("<= 1", 1, 2), ("== 1", 1, 2), ("!= 1", 2, 1), (">1e3", 1001, 1)],
)
def test_thresholds(text: str, passing: float, failing: float) -> None:
    """Each comparison does what it says, and NaN passes none."""
    threshold = Threshold.parse(text)
    assert threshold.holds(passing)
    assert not threshold.holds(failing)
    assert not threshold.holds(float("nan"))


HOSTILE = (
    "@everyone www.evil.test [x](http://evil.test) <img src=x> | `code` **b** #1 \x1b[31m\u202eabc ![i](//evil.test)"
)


def test_names_cannot_write_the_report() -> None:
    """A name with markup shows as it is: no link, no mention, no image, no cell of its own, no control character."""
    finding = Finding("error", "registry/`x`/model.yaml", f"The alias {HOSTILE}")
    text = Report((finding,), (ModelSummary(HOSTILE, 1, {HOSTILE: [1]}, {HOSTILE: "1"}),)).to_markdown()
    html = MarkdownIt("commonmark").enable("table").render(text)
    tags = set(re.findall(r"<(\w+)", html))
    assert tags == set("h3 p strong ul li code table thead tbody tr th td".split())
    assert (html.count("<td"), html.count("<li>"), html.count("<strong>")) == (4, 1, 1)
    for wrong in ("@everyone", "\x1b", "\u202e", "http://", "www."):
        assert wrong not in text
    assert text.startswith("### Model registry: failed\n")
    assert plain("plain words, 1.5 and iris-2") == "plain words, 1.5 and iris-2"


def test_a_long_report_fits_a_comment() -> None:
    """It is cut at a line, and says how much is left out."""
    findings = tuple(Finding("error", "registry/a/model.yaml", f"number {n} " + "ä" * 100) for n in range(2_000))
    text = Report(findings).to_markdown()
    assert len(text.encode()) < MAX_BYTES + 200
    shown = text.count("- `registry")
    assert text.endswith(f"... and {2_000 - shown:,} more lines. `tracker registry check` shows all of them.\n")
