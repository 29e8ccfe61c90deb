"""Ways to damage a file or a folder of a store: always the same ones, each with a name."""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import random
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tracker import layout

Act = Callable[[Path], None]

WRONG = {
    "null": "null",
    "true": "true",
    "minus one": "-1",
    "zero": "0",
    "fraction": "0.5",
    "over 53 bits": "9007199254740993",
    "over 63 bits": "9223372036854775808",
    "over 64 bits": "-99999999999999999999999",
    "over a float, whole": "1" + "0" * 400,
    "over all digits": "1" + "0" * 5000,
    "largest float": "1e308",
    "over a float": "1e999",
    "year 10000": "253402300800000",
    "year 300 million": "9223372036854775807",
    "bare NaN": "NaN",
    "bare infinity": "-Infinity",
    "text": '"x"',
    "empty text": '""',
    "NaN as text": '"NaN"',
    "half a pair": '"\\ud800"',
    "NUL": '"\\u0000"',
    "way out": '"../../../../etc/passwd"',
    "markup": '"</script><script>window.PWN=1</script>"',
    "long text": '"' + "x" * 300_000 + '"',
    "list": "[]",
    "list of all": '[1, "x", null, [], {}]',
    "object": "{}",
    "object of all": '{"a": {"b": [1]}, "": null}',
    "deep lists": "[" * 20_000 + "]" * 20_000,
    "deep objects": '{"a":' * 20_000 + "1" + "}" * 20_000,
    "open lists": "[" * 20_000,
}
"""JSON, and what is nearly JSON, to put in place of a value."""

FOREIGN = {
    "empty": b"",
    "one newline": b"\n",
    "blank lines": b"\n\n\n\n",
    "null": b"null\n",
    "list": b"[]\n",
    "object": b"{}\n",
    "number": b"17\n",
    "text": b'"run"\n',
    "other object": b'{"cells": [], "nbformat": 4}\n',
    "lines of objects": b'{"a": 1}\n{"b": 2}\n',
    "page": b"<!doctype html><title>502 Bad Gateway</title>\n",
    "conflict": b"<<<<<<< HEAD\n{}\n=======\n[]\n>>>>>>> theirs\n",
    "UTF-16": '{"schema": 1}'.encode("utf-16"),
    "Latin-1": '{"name": "caf\xe9"}\n'.encode("latin-1"),
    "BOM": b'\xef\xbb\xbf{"schema": 1}\n',
    "gzip": gzip.compress(b"{}" * 100, mtime=0),
    "NULs": b"\0" * 5000,
    "deep lists": b"[" * 1_000_000,
    "deep objects": b'{"a":' * 200_000,
    "one long line": b"x" * 9_000_000,
}
"""Files that are something else."""

YAML = {
    "aliases": b"a: &a [x, x, x, x]\nb: &b [*a, *a, *a, *a]\nc: &c [*b, *b, *b, *b]\nid: '1'\nname: *c\n",
    "alias of itself": b"id: '1'\nname: &a [*a]\n",
    "merge key": b"base: &b {id: '1'}\n<<: *b\nname: x\n",
    "program": b"id: '1'\nname: !!python/object/apply:os.system ['touch damaged']\n",
    "unknown tag": b"id: !made-up '1'\n",
    "deep flow": b"id: '1'\nname: " + b"[" * 50_000,
    "deep blocks": b"".join(b" " * depth + b"a:\n" for depth in range(2_000)),
    "complex key": b"? [id, name]\n: 1\n",
    "two documents": b"id: '1'\nname: x\n---\nid: '2'\nname: y\n",
    "tabs": b"id: '1'\n\tname: x\n",
    "no end": b"id: '1\nname: x\n",
    "other version": b"%YAML 9.9\n---\nid: '1'\nname: x\n",
    "list of maps": b"- id: '1'\n  name: x\n",
    "long key": b"? " + b"k" * 100_000 + b"\n: x\n",
}
"""YAML that is too much, or no experiment."""

NO_TEXT = (b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xf5\x80\x80\x80", b"\xc0\xaf")
"""Bytes that are no UTF-8."""


@dataclass(frozen=True)
class Damage:
    """One thing that can happen to a file or folder."""

    target: str
    """Path below the folder of a run, or of its experiment."""
    kind: str
    detail: str
    act: Act

    @property
    def name(self) -> str:
        """What is done to what."""
        return f"{self.target}: {self.kind} {self.detail}".rstrip()


def byte_damages(target: str, data: bytes, count: int) -> Iterator[Damage]:
    """Each way to change bytes, at `count` places."""
    dice = random.Random(Path(target).suffix)
    for kind, change in BYTES.items():
        for number in range(count):
            yield Damage(target, kind, str(number), writes(change(data, dice)))


def _flip(data: bytes, dice: random.Random) -> bytes:
    place = dice.randrange(len(data))
    return data[:place] + bytes([data[place] ^ 1 << dice.randrange(8)]) + data[place + 1 :]


def _cut(data: bytes, dice: random.Random) -> bytes:
    return data[: dice.randrange(len(data))]


def _cut_head(data: bytes, dice: random.Random) -> bytes:
    return data[dice.randrange(1, len(data)) :]


def _cut_out(data: bytes, dice: random.Random) -> bytes:
    start, end = _span(data, dice)
    return data[:start] + data[end:]


def _nul(data: bytes, dice: random.Random) -> bytes:
    start, end = _span(data, dice)
    return data[:start] + b"\0" * (end - start) + data[end:]


def _nul_tail(data: bytes, dice: random.Random) -> bytes:
    start = dice.randrange(len(data))
    return data[:start] + b"\0" * (4096 - start % 4096)


def _bad_utf8(data: bytes, dice: random.Random) -> bytes:
    place = dice.randrange(len(data))
    return data[:place] + dice.choice(NO_TEXT) + data[place:]


def _duplicate(data: bytes, dice: random.Random) -> bytes:
    start, end = _span(data, dice)
    return data[:end] + data[start:end] + data[end:]


def _duplicate_line(data: bytes, dice: random.Random) -> bytes:
    lines = data.splitlines(keepends=True)
    place = dice.randrange(len(lines))
    return b"".join([*lines[:place], lines[place], *lines[place:]])


def _swap_lines(data: bytes, dice: random.Random) -> bytes:
    lines = data.splitlines(keepends=True)
    one, two = dice.randrange(len(lines)), dice.randrange(len(lines))
    lines[one], lines[two] = lines[two], lines[one]
    return b"".join(lines)


def _glue_lines(data: bytes, dice: random.Random) -> bytes:
    lines = data.splitlines(keepends=True)
    place = dice.randrange(len(lines))
    lines[place] = lines[place].rstrip(b"\n")
    return b"".join(lines)


def _span(data: bytes, dice: random.Random) -> tuple[int, int]:
    start = dice.randrange(len(data))
    return start, dice.randrange(start, len(data)) + 1


BYTES: dict[str, Callable[[bytes, random.Random], bytes]] = {
    "flip": _flip,
    "cut": _cut,
    "cut head": _cut_head,
    "cut out": _cut_out,
    "NUL": _nul,
    "NUL tail": _nul_tail,
    "bad UTF-8": _bad_utf8,
    "duplicate": _duplicate,
    "duplicate line": _duplicate_line,
    "swap lines": _swap_lines,
    "glue lines": _glue_lines,
}


def foreign_damages(target: str) -> Iterator[Damage]:
    """The file is one of something else."""
    for name, data in (FOREIGN | (YAML if target.endswith(".yaml") else {})).items():
        yield Damage(target, "foreign", name, writes(data))


def field_damages(target: str, text: str, *, around: tuple[str, str] = ("", "")) -> Iterator[Damage]:
    """Each value of a JSON text, at any depth, replaced by each wrong one; `around` is what else is in the file."""
    for path in _paths(json.loads(text)):
        for name, wrong in WRONG.items():
            value = json.loads(text)
            _put(value, path, "@@")
            changed = json.dumps(value, ensure_ascii=False).replace('"@@"', wrong)
            data = (around[0] + changed + around[1]).encode(errors="surrogatepass")
            yield Damage(target, "field", f"{'.'.join(map(str, path))} = {name}", writes(data))


def _paths(value: Any) -> Iterator[tuple[str | int, ...]]:
    entries = value.items() if isinstance(value, dict) else enumerate(value[:1]) if isinstance(value, list) else ()
    for key, inner in entries:
        yield (key,)
        yield from ((key, *rest) for rest in _paths(inner))


def _put(value: Any, path: tuple[str | int, ...], new: object) -> None:
    for key in path[:-1]:
        value = value[key]
    value[path[-1]] = new


def kind_damages(target: str, outside: Path) -> Iterator[Damage]:
    """Something lies there that is no file, or no folder, of ours; links lead to `outside`."""
    for kind, act in _kinds(outside).items():
        yield Damage(target, kind, "", act)


def depth_damages(target: str) -> Iterator[Damage]:
    """Folders in each other, or a name, as far as the system goes; no program of ours makes them so."""
    yield Damage(target, "deep folder", "", _deep_folder)
    yield Damage(target, "long name", "", _long_name)


def _kinds(outside: Path) -> dict[str, Act]:
    return {
        "missing": lambda path: None,
        "link": lambda path: path.symlink_to(outside),
        "link nowhere": lambda path: path.symlink_to("nowhere"),
        "link to itself": lambda path: path.symlink_to(path.name),
        "link to its folder": lambda path: path.symlink_to("."),
        "link to a device": lambda path: path.symlink_to("/dev/zero"),
        "hard link": lambda path: path.hardlink_to(outside),
        "pipe": lambda path: os.mkfifo(path),
        "socket": _socket,
        "empty file": lambda path: path.write_bytes(b""),
        "empty folder": lambda path: path.mkdir(),
        "full folder": _full_folder,
        "huge sparse file": lambda path: _sparse(path, 3 << 30),
        "no rights": _no_rights,
    }


def _socket(path: Path) -> None:
    with contextlib.chdir(path.parent), contextlib.closing(socket.socket(socket.AF_UNIX)) as made:
        made.bind(path.name)  # an address may have 100 bytes only


def _full_folder(path: Path) -> None:
    for name in (path.name, "run.json", "x.jsonl", "artifacts", "a\nb", '"><img src=x onerror=window.PWN=1>'):
        (path / name / "deeper").mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(OSError):  # only Linux takes such a name
        Path(os.fsdecode(os.fsencode(path) + b"/\xff\xfe")).mkdir()
    (path / "deeper.txt").write_text("x")


def _deep_folder(path: Path) -> None:
    with contextlib.suppress(OSError):  # not every system goes so deep
        for _ in range(1_100):  # more than Python lets functions call themselves
            path.mkdir()
            path /= "d"
        path.write_text("x")


def _long_name(path: Path) -> None:
    path.mkdir()
    (path / ("x" * 255)).write_text("x")
    (path / ("y" * 251 + ".txt")).write_text("x")


def _sparse(path: Path, size: int) -> None:
    with path.open("wb") as file:
        file.truncate(size)


def _no_rights(path: Path) -> None:
    path.write_bytes(b"x")
    path.chmod(0)


def writes(data: bytes) -> Act:
    """The act of writing bytes."""
    return lambda path: _write(path, data)


def _write(path: Path, data: bytes) -> None:
    path.write_bytes(data)


@contextlib.contextmanager
def damaged(folder: Path, damage: Damage) -> Iterator[None]:
    """The damage is done for the length of the block; then all is as it was, times too."""
    path = folder / damage.target
    kept = path.with_name(f"{layout.ASIDE}kept")
    parent = path.parent.stat()
    if os.path.lexists(path):
        path.rename(kept)
    try:
        damage.act(path)
        yield
    finally:
        _remove(path)
        if os.path.lexists(kept):
            kept.rename(path)
        os.utime(path.parent, ns=(parent.st_atime_ns, parent.st_mtime_ns))


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        if (path / "d").exists():
            subprocess.run(["rm", "-r", path / "d"], check=True)  # that of Python does not go so deep
        shutil.rmtree(os.fsencode(path))
    elif os.path.lexists(path):
        path.unlink()
