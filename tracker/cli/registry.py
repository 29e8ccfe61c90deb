"""`tracker registry`: registered models, their versions and stages."""

from __future__ import annotations

import warnings
from pathlib import Path

import click

from tracker import reader
from tracker.cli.data import print_json
from tracker.cli.options import json_option, store_option
from tracker.cli.registry_data import model_data, report_data, state_data, version_data
from tracker.cli.text import clean, counted
from tracker.registry import ReadVersion, Registry, check_registry, search_registered_models, state_at
from tracker.registry.faults import version_place
from tracker.registry.policy import read_policy
from tracker.registry.policy_check import policy_findings

by_option = click.option("--by", metavar="NAME", help="Who does it. [default: $TRACKER_USER or git's user.name]")
reason_option = click.option("--reason", "-m", metavar="TEXT", default="", help="Why; it stands in the history.")


def opened(store: Path) -> Registry:
    """The registry of a store; NotAStoreError for a folder that is none."""
    reader.read_store_file(store)
    return Registry(store)


@click.group("registry")
def command() -> None:
    """Registered models: versions, stages, aliases and their history.

    VERSION is a number, `latest`, an alias or a stage.
    """


@command.command("list")
@click.argument("query", required=False, default="")
@store_option
@json_option
def list_models(query: str, store: Path, as_json: bool) -> None:
    """List the registered models, or those that match QUERY, such as "name like 'iris%'"."""
    registry = opened(store)
    wanted = {model.name for model in search_registered_models(store, filter_string=query)}
    models = [model for model in registry.models() if model.name in wanted]
    if as_json:
        print_json([model_data(model) for model in models])
    elif models:
        from tracker.cli.registry_text import print_models

        print_models(models)
    else:
        click.echo(f"There are no registered models{' like that' if query else ''} in {clean(store)}.")


@command.command("show")
@click.argument("name")
@click.argument("version", required=False)
@click.option("--at", metavar="TIME", help="As it was then: 2026-03-01 (the end of that day, UTC) or a time.")
@store_option
@json_option
def show(name: str, version: str | None, at: str | None, store: Path, as_json: bool) -> None:
    """Show the model NAME or one VERSION of it, now or at a time."""
    from tracker.cli import registry_text

    model = opened(store).model(name)
    chosen = model.select(version) if version else None
    for problem in model.unreadable:
        click.echo(clean(f"{problem.path}: {problem.message}"), err=True)
    if at is not None:
        state = state_at(model, at)
        numbers = None if chosen is None else {chosen.file.version}
        if as_json:
            print_json(state_data(state, numbers))
        else:
            registry_text.print_state(state, numbers)
    elif as_json:
        print_json(model_data(model) if chosen is None else version_data(chosen))
    elif chosen is None:
        registry_text.print_model(model)
    else:
        registry_text.print_version(chosen)


@command.command("promote")
@click.argument("name")
@click.argument("version")
@click.option("--to", "stage", metavar="STAGE", required=True, help="Stage to move it to, such as Production.")
@reason_option
@click.option("--archive-existing", is_flag=True, help="Afterwards archive the others that are in the stage.")
@by_option
@store_option
@json_option
def promote(
    name: str,
    version: str,
    stage: str,
    reason: str,
    archive_existing: bool,
    by: str | None,
    store: Path,
    as_json: bool,
) -> None:
    """Move a version of NAME to a stage, with an entry in its history."""
    registry = opened(store)
    before = registry.model(name).select(version)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it is said below, in the words of this command
        after = registry.set_stage(name, before.version, stage, by=by, reason=reason, archive_existing=archive_existing)
    model = registry.model(name)
    elsewhere = model.leads_elsewhere(after)
    if as_json:
        print_json(version_data(after))
    else:
        click.echo(clean(f"{name} {after.version}: {_moved(before, after)}"))
    if elsewhere:
        click.echo(clean(f"{elsewhere}; archive it with --archive-existing."), err=as_json)
    for finding in policy_findings(model, read_policy(store), lambda found: version_place(model, found)):
        if finding.version in (None, after.file.version):
            click.echo(f"The check of the registry will say: {clean(finding.message)}", err=True)


@command.command("alias")
@click.argument("name")
@click.argument("alias")
@click.argument("version", required=False)
@click.option("--delete", is_flag=True, help="Remove the alias.")
@reason_option
@by_option
@store_option
@json_option
def alias_version(
    name: str,
    alias: str,
    version: str | None,
    delete: bool,
    reason: str,
    by: str | None,
    store: Path,
    as_json: bool,
) -> None:
    """Let ALIAS stand for VERSION of NAME: a number, `latest`, a stage as it is now, or another alias."""
    if delete == bool(version):
        raise click.UsageError("Name the VERSION that the alias is to stand for, or use --delete.")
    registry = opened(store)
    if version is None:
        registry.delete_alias(name, alias, by=by, reason=reason)
    else:
        model = registry.model(name)
        target = version if version in model.file.aliases else model.select(version).version
        registry.set_alias(name, alias, target, by=by, reason=reason)
    model = registry.model(name)
    if as_json:
        print_json(model_data(model))
    elif version is None:
        click.echo(clean(f"{name}: {alias} is removed"))
    else:
        click.echo(clean(f"{name}: {alias} -> {model.file.aliases[alias]}"))


@command.command("compare")
@click.argument("name")
@click.argument("version")
@click.argument("other")
@click.option(
    "--all/--diff", "everything", default=False, help="Show every row, or those that differ. [default: --diff]"
)
@store_option
@json_option
def compare(name: str, version: str, other: str, everything: bool, store: Path, as_json: bool) -> None:
    """Compare two versions of NAME: their runs' params and metrics, signatures, requirements, sizes."""
    from tracker.cli import registry_compare

    model = opened(store).model(name)
    pair = (model.select(version), model.select(other))
    rows = [row for row in registry_compare.rows_of(pair) if everything or row.differs]
    if as_json:
        print_json(registry_compare.compare_data(pair, rows))
    elif rows:
        registry_compare.print_rows(pair, rows)
    else:
        click.echo(f"Versions {pair[0].version} and {pair[1].version} do not differ. --all shows what they have.")


@command.command("check")
@click.option("--markdown", metavar="FILE", help="Write a report for a pull request; - for standard output.")
@store_option
@json_option
@click.pass_context
def check(ctx: click.Context, markdown: str | None, store: Path, as_json: bool) -> None:
    """Check references, digests, stages, aliases, histories and the policy. Exit code 1 when something is wrong."""
    report = check_registry(store)
    if markdown and markdown != "-":
        _write(Path(markdown), report.to_markdown())
    if markdown == "-":
        click.echo(report.to_markdown(), nl=False)
    elif as_json:
        print_json(report_data(report))
    else:
        for finding in report.findings:
            click.echo(clean(f"{finding.severity}: {finding.path}: {finding.message}"))
        click.echo(f"{report.summary}.")
    ctx.exit(0 if report.passed else 1)


@command.command("register")
@click.argument("uri")
@click.argument("name")
@click.option("--description", metavar="TEXT", default="", help="Of the version, in Markdown.")
@click.option("--tag", "tags", metavar="KEY=VALUE", multiple=True, help="A tag of the version; may be repeated.")
@click.option("--trust", is_flag=True, help="Copy a model from outside of the store even if loading it can run code.")
@store_option
@json_option
def register(
    uri: str, name: str, description: str, tags: tuple[str, ...], trust: bool, store: Path, as_json: bool
) -> None:
    """Register the model at URI (runs:/<id>/<name>, or a path) as the next version of NAME."""
    import tracker
    from tracker.registering import register_model

    pairs = [tag.partition("=") for tag in tags]
    if any(not equals for _, equals, _ in pairs):
        raise click.UsageError("A tag is KEY=VALUE, such as --tag team=red.")
    opened(store)
    tracker.set_tracking_uri(store)
    made = register_model(uri, name, tags={key: value for key, _, value in pairs}, description=description, trust=trust)
    if as_json:
        print_json(version_data(Registry(store).version(name, made.version)))
    else:
        click.echo(clean(f"{made.name} {made.version}: registered"))


@command.command("delete")
@click.argument("name")
@click.argument("version", required=False)
@reason_option
@by_option
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@store_option
def delete(name: str, version: str | None, reason: str, by: str | None, yes: bool, store: Path) -> None:
    """Delete VERSION of NAME, or NAME with all its versions. Refused while one of them is in use."""
    registry = opened(store)
    model = registry.model(name)
    chosen = model.select(version) if version else None
    what = f"version {chosen.version} of {name}" if chosen else f"{name} with {counted(len(model.live), 'version')}"
    if not yes:
        click.confirm(clean(f"Delete {what}?"), abort=True, err=True)
    if chosen:
        registry.delete_version(name, chosen.version, by=by, reason=reason)
    else:
        registry.delete_model(name)
    click.echo(clean(f"Deleted {what}." if chosen else f"Moved {what} to the trash of the store."))


def _moved(before: ReadVersion, after: ReadVersion) -> str:
    if before.file.stage != after.file.stage:
        return f"{before.file.stage} -> {after.file.stage}"
    noted = len(after.file.history) > len(before.file.history)
    told = "the reason stands in its history" if noted else "nothing was recorded; --reason adds a line to its history"
    return f"already in {after.file.stage}, {told}"


def _write(path: Path, text: str) -> None:
    from tracker import _io

    with _io.explained("write", path):
        _io.replace_file(path, text.encode(), durable=False)
