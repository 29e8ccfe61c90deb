"""`tracker models serve` as people run it: a process, a port, requests, an end."""

from __future__ import annotations

import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import tracker
from tracker.pyfunc import PythonModel
from tracker.serving.server import _bound

from .conftest import split
from .processes import Server, serving

posix = pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGTERM that a process can handle")


class Slow(PythonModel):
    """Takes as many seconds as it is told."""

    def predict(self, context: Any, model_input: Any, params: dict[str, Any] | None = None) -> Any:
        import time

        time.sleep(float(model_input[0]))
        return ["done"]


Slow.__module__ = "__main__"  # so that it travels with the model


@pytest.fixture(scope="module")
def flowers(tmp_path_factory: pytest.TempPathFactory, iris: Any) -> Iterator[Server]:
    """A server for the model of the flowers, registered in a store."""
    data, _, model = iris
    store = tmp_path_factory.mktemp("served") / "runs"
    tracker.set_tracking_uri(store)
    signature = tracker.models.infer_signature(data, model.predict(data))
    tracker.sklearn.log_model(model, name="model", signature=signature, registered_model_name="flowers")
    tracker.end_run()
    with serving("models:/flowers/1", "--port", 0, "--store", store) as server:
        yield server


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that takes its time."""
    folder = tmp_path_factory.mktemp("slow") / "model"
    tracker.pyfunc.save_model(folder, python_model=Slow(), signature=False)
    return folder


def test_predictions_are_those_of_the_model(flowers: Server, iris: Any) -> None:
    """All rows, as JSON and as CSV, give what the estimator gives."""
    data, _, model = iris
    expected = model.predict(data).tolist()
    assert flowers.predict(split(data)).json == {"predictions": expected}
    assert flowers.predict(data.to_csv(index=False), "text/csv").json == {"predictions": expected}


def test_the_printed_line_works(flowers: Server) -> None:
    """The greeting has a curl command, and the request in it is answered."""
    curl = shlex.split(flowers.greeting.splitlines()[1])
    assert curl[0] == "curl" and curl[2] == f"{flowers.address}invocations"
    assert flowers.predict(curl[-1]).status == 200


def test_it_listens_on_this_machine_only(flowers: Server) -> None:
    """By default the address is 127.0.0.1."""
    assert flowers.address.startswith("http://127.0.0.1:")


def test_a_megabyte_of_rows_is_answered(flowers: Server, iris: Any) -> None:
    """A JSON body of 1 MB comes back with a prediction for each row."""
    import pandas as pd

    rows = pd.concat([iris[0]] * 320, ignore_index=True)
    body = split(rows)
    assert 1_000_000 < len(body) < 2_000_000
    assert len(flowers.predict(body).json["predictions"]) == len(rows)


def test_fifty_at_once_are_answered(flowers: Server, iris: Any) -> None:
    """50 clients that ask 4 times each at the same time all get their own predictions."""
    data, _, model = iris
    expected = model.predict(data).tolist()
    start = threading.Barrier(50)

    def client(number: int) -> list[bool]:
        rows = slice(number, number + 3)
        body = split(data[rows])
        start.wait()
        return [flowers.predict(body).json == {"predictions": expected[rows]} for _ in range(4)]

    with ThreadPoolExecutor(50) as pool:
        answers = [right for found in pool.map(client, range(50)) for right in found]
    assert answers == [True] * 200


def test_a_client_that_goes_away_harms_nobody(flowers: Server, iris: Any) -> None:
    """Half a request and a closed connection leave the server as it was."""
    host, port = flowers.address.removeprefix("http://").rstrip("/").split(":")
    for part in (
        b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{",
        b"\x16\x03\x01 no http\r\n",
    ):
        with socket.create_connection((host, int(port)), timeout=10) as connection:
            connection.sendall(part)
    assert flowers.predict(split(iris[0][:1])).status == 200


def test_ping_answers_while_the_model_works(slow: Path) -> None:
    """A prediction of seconds does not hold up /ping."""
    with serving(slow, "--port", 0, "--trust", "yes") as server, ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(server.predict, '{"inputs": [3]}')
        time.sleep(0.5)
        before = time.monotonic()
        assert server.get("ping").status == 200
        assert time.monotonic() - before < 2
        assert not waiting.done()
        assert waiting.result().json == {"predictions": ["done"]}


@posix
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_after_the_requests(slow: Path, number: int) -> None:
    """What is being answered is answered to the end, then the process ends with exit code 0."""
    with serving(slow, "--port", 0, "--trust", "yes") as server, ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(server.predict, '{"inputs": [1.5]}')
        time.sleep(0.5)
        server.process.send_signal(number)
        assert waiting.result().json == {"predictions": ["done"]}
        assert server.process.wait(timeout=30) == 0


def test_answers_go_out_at_once() -> None:
    """The socket says that it is of TCP; otherwise asyncio leaves on what holds each answer back for 40 ms."""
    with _bound("127.0.0.1", 0) as bound:
        assert bound.proto == socket.IPPROTO_TCP


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    """`tracker models serve` that is not expected to start."""
    command = [sys.executable, "-m", "tracker.cli", "models", "serve", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False, timeout=60)


def test_a_taken_port_is_told(saved: Callable[..., Path]) -> None:
    """The error names the port and another one, before the model is loaded."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = run(saved("skops"), "--port", port)
    assert result.returncode == 1
    assert f"Port {port} of 127.0.0.1 is taken" in result.stderr
    assert "--port" in result.stderr


def test_an_untrusted_model_is_not_served(saved: Callable[..., Path]) -> None:
    """A pickle from outside the store is refused with the digest to pin; with that digest it is served."""
    folder = saved("cloudpickle")
    result = run(folder, "--port", 0)
    assert result.returncode == 1
    digest = json.loads((folder / "manifest.json").read_text())["digest"]
    assert digest in result.stderr
    with serving(folder, "--port", 0, "--trust", digest) as server:
        assert server.get("ping").status == 200
    other = digest[:-4] + ("0000" if not digest.endswith("0000") else "1111")
    assert "It is not loaded" in run(folder, "--port", 0, "--trust", other).stderr


def test_a_safe_format_needs_no_trust(saved: Callable[..., Path], iris: Any) -> None:
    """A skops model from anywhere is served at once."""
    with serving(saved("skops"), "--port", 0) as server:
        assert server.predict(split(iris[0][:2])).json == {"predictions": [0, 0]}
