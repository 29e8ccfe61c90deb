"""`tracker models`: what models are, their predictions, a server for them, and files to build an image of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click

from tracker.cli.app import MainGroup
from tracker.cli.building import needs
from tracker.cli.options import json_option
from tracker.cli.text import clean, clean_lines
from tracker.exceptions import InvalidValueError, UntrustedModelError

PORT = 5000
_MB = 1_000_000
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_PIN = re.compile(rf'trust="({_DIGEST.pattern})"')
_F = TypeVar("_F", bound=Callable[..., Any])


class TrustType(click.ParamType[bool | str]):
    """`yes`, or the digest that the model must have."""

    name = "yes|DIGEST"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> bool | str:
        """True or the digest."""
        if isinstance(value, bool) or value == "yes":
            return bool(value)
        if not _DIGEST.fullmatch(value):
            self.fail("say yes, or give the digest of the model: sha256: and 64 hex digits, as inspect prints it.")
        return str(value)


def _store_option(command: _F) -> _F:
    """`--store`, which may be the address of a published site here; it is chosen before the command runs."""

    def choose(ctx: click.Context, param: click.Parameter, value: str | None) -> None:
        if value:
            from tracker.session import session

            session.use_store(value)

    return click.option(
        "--store",
        "-s",
        callback=choose,
        expose_value=False,
        metavar="STORE",
        help="Store or published site that models:/ and runs:/ mean. [default: $TRACKER_URI or ./runs]",
    )(command)


_uri_argument = click.argument("uri")
_trust_option = click.option(
    "--trust",
    type=TrustType(),
    default=False,
    metavar="yes|DIGEST",
    help="Run the code of a model from outside the store; a digest pins it to just that model.",
)


@click.group("models", cls=MainGroup)
def command() -> None:
    """Look into models, predict with them, serve them.

    URI is a folder, runs:/RUN_ID/NAME, models:/NAME/VERSION, models:/NAME/STAGE, models:/NAME@ALIAS, or the address
    of a version on a published site.
    """


@contextmanager
def _trust_in_words() -> Iterator[None]:
    """Let a refusal name the option of the command line in place of Python's argument."""
    try:
        yield
    except UntrustedModelError as error:
        told = _PIN.sub(r"--trust \1", error.message).replace("trust=True", "--trust yes")
        raise UntrustedModelError(told) from error


@command.command("inspect")
@_uri_argument
@click.option("--verify/--no-verify", default=True, help="Compare all files with their digests. [default: verify]")
@_store_option
@json_option
def inspect_command(uri: str, verify: bool, as_json: bool) -> None:
    """Say what a model is without loading it: format, types or imports, signature, requirements, files, digests.

    Ends with exit code 1 when something is wrong with it.
    """
    from tracker.cli.data import print_json
    from tracker.cli.model_facts import facts_data, print_facts
    from tracker.cli.table import make_console
    from tracker.opening import inspect_model

    facts = inspect_model(uri, verify=verify)
    if as_json:
        print_json(facts_data(uri, facts))
    else:
        print_facts(make_console(), uri, facts)
    if facts.problems:
        click.get_current_context().exit(1)


@command.command("list")
@_store_option
@json_option
def list_command(as_json: bool) -> None:
    """List the models that runs logged and those that are registered, the newest first."""
    from tracker.cli.model_list import list_models, print_models
    from tracker.session import session

    print_models(list_models(session.root), as_json)


@command.command("predict")
@_uri_argument
@click.option("--input", "-i", "source", required=True, metavar="FILE", help="CSV or JSON; - reads standard input.")
@click.option("--output", "-o", "target", metavar="FILE", type=click.Path(path_type=Path), help="[default: stdout]")
@click.option(
    "--content-type", "-t", type=click.Choice(["csv", "json"]), help="What FILE is, if its name does not say."
)
@_trust_option
@_store_option
def predict_command(uri: str, source: str, target: Path | None, content_type: str | None, trust: bool | str) -> None:
    """Predict for the rows of a CSV file, or for a JSON file of the form that `tracker models serve` takes."""
    with needs("Predicting from a file", "serve"):
        import pandas  # noqa: F401

        from tracker.serving.once import predict_file

    kind = content_type or _kind_of(source)
    with _trust_in_words():
        answer = predict_file(uri, source, kind, trust=trust)
    if target is None:
        click.echo(answer)
    else:
        from tracker import _io

        with _io.explained("write", target):
            _io.replace_file(target, answer + b"\n", durable=False)


@command.command("serve")
@_uri_argument
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=PORT, show_default=True, help="Port; 0 takes a free one."
)
@click.option(
    "--limit", type=click.FloatRange(min=0.001), default=32.0, show_default=True, help="Megabytes in one request."
)
@_trust_option
@_store_option
def serve_command(uri: str, host: str, port: int, limit: float, trust: bool | str) -> None:
    """Serve a model over http, by MLflow's protocol: /invocations, /ping. Ctrl-C ends it."""
    with needs("Serving a model", "serve"):
        import starlette  # noqa: F401
        import uvicorn  # noqa: F401

        from tracker.serving.server import serve_model

    def say(text: str) -> None:
        click.echo(clean_lines(text))

    with _trust_in_words():
        serve_model(uri, host, port, trust=trust, limit=round(limit * _MB), say=say)


@command.command("dockerfile")
@_uri_argument
@click.option(
    "--output", "-o", "folder", required=True, metavar="DIR", type=click.Path(path_type=Path), help="A new folder."
)
@click.option("--kubernetes", is_flag=True, help="Write deployment.yaml and service.yaml as well.")
@click.option("--image", metavar="NAME:TAG", help="Name of the image. [default: that of the model, and its digest]")
@click.option(
    "--python-version", metavar="VERSION", help="Python of the image. [default: the one that saved the model]"
)
@_trust_option
@_store_option
def dockerfile_command(
    uri: str, folder: Path, kubernetes: bool, image: str | None, python_version: str | None, trust: bool | str
) -> None:
    """Write everything that an image of a server for this model is built from: Dockerfile, model, requirements."""
    from tracker.serving.context import write_context

    written = write_context(uri, folder, python_version=python_version, kubernetes=kubernetes, image=image, trust=trust)
    click.echo(f"Wrote {clean(folder)}. Build the image with: docker build -t {written.image} {clean(folder)}")


def _kind_of(source: str) -> str:
    suffix = Path(source).suffix.lower().removeprefix(".")
    if suffix not in ("csv", "json"):
        raise InvalidValueError(f"Is {source} CSV or JSON? Its name does not say. Add: --content-type csv")
    return suffix
