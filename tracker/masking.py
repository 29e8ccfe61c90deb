"""Takes secrets and personal paths out of what is captured, before it is written."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

MASK = "***"

_SECRET_NAME = re.compile(
    r"token(?!i[sz]|s)|secret|passw|pwd|(?:api|access|private|secret)[_-]?key|auth(?!or)|bearer|credential",
    re.IGNORECASE,
)
# Each repeat is bounded, since a diff may hold a line of a million characters.
_HEADER = re.compile(
    r"(authorization[\"']?\s{0,9}[:=]\s{0,9}[\"']?(?:(?:bearer|basic|token)\s{1,9})?|\bbearer\s{1,9}(?=[\w.~+/-]{16}))"
    r"[^\s\"']+",
    re.IGNORECASE,
)
_LITERAL = re.compile(
    rf"((?:{_SECRET_NAME.pattern})\w{{0,40}}[\"']?\s{{0,9}}[:=]\s{{0,9}})(?:'[^'\n]{{1,400}}'|\"[^\"\n]{{1,400}}\")",
    re.IGNORECASE,
)
_HOME = r"(?:/home|/Users|[A-Za-z]:[\\/]Users)[\\/][^\\/\s\"':;,]+"
_SECRET_VALUE = re.compile(
    r"\b(?:gh[pousr]_\w{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}|hf_\w{20,}|sk-[\w-]{20,}|xox[abposr]-[\w-]{10,}"
    r"|A(?:KIA|SIA)[0-9A-Z]{16}|AIza[\w-]{30,}|eyJ[\w-]{10,999}\.[\w-]{10,9999}\.[\w-]{0,999}|npm_\w{30,}"
    r"|pypi-[\w-]{30,})"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----(?s:.*?)(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"
)
_USERINFO = re.compile(r"(?<=://)[^/@\s]+@")
_SCP_REMOTE = re.compile(r"(?:[^@/]+@)?([\w.-]+):(?!//)(.+)")
_LOCAL_URI = re.compile(r"(?:file|tracker):(?://(?=/))?(?=[/~]|[A-Za-z]:[\\/])")
_ABSOLUTE = re.compile(r"(?:[A-Za-z]:[\\/]|/|~[\\/])\S*")


def mask_text(text: str) -> str:
    """Text without what looks like a known kind of secret, and with `~` for the home folders of people."""
    text = _USERINFO.sub(f"{MASK}@", _SECRET_VALUE.sub(MASK, text))
    text = _LITERAL.sub(lambda found: f"{found[1]}{found[0][-1]}{MASK}{found[0][-1]}", text)
    return _home().sub("~", _HEADER.sub(rf"\1{MASK}", text))


def _home() -> re.Pattern[str]:
    """Home folders: those in the usual places, and that of who runs this, wherever it lies."""
    own = re.escape(os.path.expanduser("~").rstrip("\\/")) or "(?!)"  # noqa: PTH111
    return re.compile(rf"(?<![\w.~-])(?:{_HOME}|{own}(?![\w.-]))")


def mask_command(arguments: Sequence[str], root: Path | None) -> list[str]:
    """A command line without secrets; paths below `root` relative to it, other absolute ones cut to their last part."""
    masked: list[str] = []
    hide_next = False
    for argument in arguments:
        name, equals, value = argument.partition("=")
        secret = name.startswith("-") or equals
        if hide_next and not argument.startswith("-"):
            masked.append(MASK)
        elif equals and _SECRET_NAME.search(name):
            masked.append(f"{name}={MASK}")
        elif equals:
            masked.append(f"{_clean(name, root)}={_clean(value, root)}")
        else:
            masked.append(_clean(argument, root))
        hide_next = bool(secret and not equals and _SECRET_NAME.search(name))
    return masked


def clean_remote(url: str) -> str | None:
    """`https://host/owner/repository` for any remote of a known form, without user, password, port and query."""
    scp = None if "://" in url else _SCP_REMOTE.fullmatch(url)
    if scp:
        host, path = scp.groups()
    else:
        try:
            parts = urlsplit(url)
        except ValueError:
            return None
        host, path = parts.hostname or "", parts.path
        if parts.scheme not in ("http", "https", "ssh", "git"):
            return None
    path = path.strip("/").removesuffix(".git")
    return f"https://{host}/{path}" if len(host) > 1 and re.fullmatch(r"[\w./~-]+", path) else None


def _clean(text: str, root: Path | None) -> str:
    return mask_text(_short_path(as_text(text), root))


def as_text(text: str) -> str:
    """Text that has a UTF-8 form: a command line or file name may hold bytes that are none."""
    return text.encode("utf-8", "backslashreplace").decode()


def _short_path(text: str, root: Path | None) -> str:
    if scheme := _LOCAL_URI.match(text):
        return scheme[0] + _short_path(text[scheme.end() :], root)
    if len(text) < 2 or not _ABSOLUTE.fullmatch(text) or _home().fullmatch(text.rstrip("\\/")):
        return text
    if root is not None:
        relative = os.path.relpath(text, root) if os.path.isabs(text) else text  # noqa: PTH117
        if not relative.startswith(("..", "~")):
            return relative.replace(os.sep, "/")
    return "…/" + re.split(r"[\\/]", text.rstrip("\\/"))[-1]
