"""Ids, slugs and readable names; and what may be a name at all."""

from __future__ import annotations

import os
import random
import re
import secrets
import threading
import time
import unicodedata
from pathlib import Path, PurePath, PurePosixPath
from urllib.parse import unquote, urlsplit

from tracker import settings
from tracker.exceptions import InvalidNameError, InvalidValueError

MAX_NAME = 500
"""Characters in a name of an experiment, run, param, metric or tag."""

_ADDRESS = re.compile(r"([A-Za-z][A-Za-z0-9.+-]+):/")
_OURS = "tracker:"
"""The scheme of a store in MLFLOW_TRACKING_URI; the same URIs name a store to us."""
_URI_DRIVE = re.compile(r"/[A-Za-z]:(/|$)")
_DATABASES = ("sqlite", "mysql", "postgresql", "mssql")
_SERVERS = ("databricks", "databricks-uc")
"""Words that name a server to MLflow."""

_ADJECTIVES = (
    "able agile amber ample apt azure bold brave brief bright brisk calm candid clean clear clever cosy crisp "
    "curious daring deft eager early earnest easy exact fair fancy fast fine fleet fond frank free fresh gentle "
    "glad golden good grand green happy hardy honest humble ideal jolly keen kind large lasting light lively loyal "
    "lucid lucky mellow merry mighty mild modest neat nimble noble novel patient placid plain polite prime proud "
    "quick quiet rapid ready rare rich robust royal serene sharp shiny silent silver simple sleek smart smooth snug "
    "solid sound spry stable steady still stout strong subtle sunny sure swift tender tidy true trusty upbeat vivid "
    "warm wary wise witty young zesty"
).split()
_NOUNS = (
    "ant badger bat bear beaver bee bison boar bream buck carp cat cod colt crab crane crow deer dove duck eagle eel "
    "elk emu ermine falcon fawn ferret finch fox frog gecko gnu goat goose grouse gull hare hawk heron hound ibex ibis "
    "jay kite koala lark lemur lion llama lynx magpie mantis marten mink mole moose moth mouse mule newt okapi orca "
    "oryx osprey otter owl ox panda perch pike plover pony puffin quail rabbit ram raven ray robin rook salmon seal "
    "shrew skate skink snail snipe sole sparrow squid stag stork swan swift tapir tern tiger toad trout tuna turtle "
    "viper vole walrus wasp whale wolf wombat wren yak zebra"
).split()

_RESERVED = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10))}
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_DRIVE = re.compile(r"^[A-Za-z]:")
_SCHEME = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]*:")
_RUN_ID = re.compile(r"[0-9a-f]{32}")
_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,79}")

_random = random.Random(secrets.randbits(64))
_id_lock = threading.RLock()
_last_id = 0


def _renew_after_fork() -> None:
    """A child must not wait for a lock that a thread of its parent held, nor choose the names that the parent does."""
    global _id_lock
    _id_lock = threading.RLock()
    _random.seed()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_after_fork)


def new_id() -> str:
    """32 hex digits that sort by time and, within a process, strictly (UUID version 7, RFC 9562)."""
    global _last_id
    with _id_lock:
        # 48 bits of milliseconds, 12 bits below them, 62 random bits
        stamp = max(time.time_ns() * 4096 // 1_000_000, _last_id + 1)
        _last_id = stamp
    high = (stamp >> 12) << 16 | 0x7000 | stamp & 0xFFF
    low = 0b10 << 62 | secrets.randbits(62)
    return f"{high:016x}{low:016x}"


def new_experiment_id() -> str:
    """18 decimal digits, as MLflow's file store gives them."""
    return f"{time.time_ns() // 1_000_000 * 100_000 + secrets.randbelow(100_000):018d}"[-18:]


def new_run_name() -> str:
    """A readable name such as `brave-otter-417`; never taken from the script's random state."""
    return f"{_random.choice(_ADJECTIVES)}-{_random.choice(_NOUNS)}-{_random.randrange(1000)}"


def slug_of(name: str, kind: str = "experiment") -> str:
    """The first choice for the folder of an experiment: ASCII letters and digits of its name, safe on every system."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:60].strip("-")
    return f"{kind}-{slug}".rstrip("-") if not slug or slug in _RESERVED else slug


def is_run_id(text: str) -> bool:
    """32 lower-case hex digits."""
    return _RUN_ID.fullmatch(text) is not None


def is_slug(text: str) -> bool:
    """A folder name that `slug_of` could have made."""
    return _SLUG.fullmatch(text) is not None


def is_text(text: str) -> bool:
    """Whether it has a UTF-8 form, which a file name in another encoding has not."""
    return text.isascii() or not _SURROGATE.search(text)


def check_text(text: object, what: str) -> str:
    """Text that can be stored, or InvalidNameError: a lone surrogate has no UTF-8."""
    if not isinstance(text, str):
        raise InvalidNameError(f"{what} must be text, but it is {type(text).__name__}: {text!r:.100}.")
    if _SURROGATE.search(text):
        raise InvalidNameError(f"{what} holds half of a surrogate pair, which is no text: {text!r:.100}.")
    return text


def check_name(name: object, what: str) -> str:
    """A name of an experiment, run, param, metric or tag, or InvalidNameError. It never becomes a file name."""
    text = check_text(name, what)
    if not text.strip():
        raise InvalidNameError(f"{what} is empty. Give it a name of at least one visible character.")
    if len(text) > MAX_NAME:
        raise InvalidNameError(f"{what} has {len(text):,} characters; {MAX_NAME} are allowed: {text:.60}…")
    if _CONTROL.search(text):
        raise InvalidNameError(f"{what} holds a control character: {text!r:.100}. Remove it.")
    return text


def check_run_id(run_id: object) -> str:
    """A run id as it came from outside, or InvalidNameError."""
    text = check_text(run_id, "A run id")
    if not is_run_id(text):
        raise InvalidNameError(f"{text!r:.100} is no run id. Run ids have 32 hex digits; `tracker list` shows them.")
    return text


def check_artifact_path(path: object, what: str = "An artifact path") -> PurePosixPath:
    """A relative path below `artifacts/`, or InvalidNameError: nothing may lead out of it or confuse another system."""
    text = check_text(path.as_posix() if isinstance(path, PurePath) else path, what)
    reason = _unsafe(text)
    if reason:
        raise InvalidNameError(f"{what} {reason}: {text!r:.100}. Use a relative path such as plots/loss.png.")
    return PurePosixPath(text)


def _unsafe(path: str) -> str:
    """Why a path is unsafe, or an empty text."""
    if _CONTROL.search(path):
        return "holds a control character"
    if "\\" in path:
        return "holds a backslash"
    if path.startswith(("/", "~")) or _DRIVE.match(path) or _SCHEME.match(path):
        return "is absolute or a URI"
    parts = path.split("/")
    for part in parts:
        reason = _unsafe_part(part)
        if reason:
            return reason
    return "is too long" if len(path.encode()) > 1000 else ""


def _unsafe_part(part: str) -> str:
    if part in ("", ".", ".."):
        return "has an empty part, . or .."
    if "%2e" in part.lower() or "%2f" in part.lower() or "%5c" in part.lower() or "%00" in part:
        return "holds an encoded separator"
    if part.endswith((".", " ")) or part.startswith(" "):
        return "has a part with a dot or blank at its end"
    if any(character in part for character in '<>:"|?*'):
        return "holds a character that some systems forbid"
    if part.split(".")[0].rstrip(" ").lower() in _RESERVED:
        return "has a part that Windows reserves"
    if part.startswith(".new-"):
        return "has a part that tracker uses for unfinished files"
    return "has a part that is too long" if len(part.encode()) > 240 else ""


def scheme_of(text: str) -> str:
    """The scheme of a URI with a slash behind it, `runs` of `runs:/…`; empty for a path, those of Windows too."""
    found = _ADDRESS.match(text)
    return found[1].lower() if found else ""


def is_site(uri: str) -> bool:
    """Whether a URI is an address of the web, where a published site may be."""
    return uri.lower().startswith(("http://", "https://"))


def folder_of(uri: str | os.PathLike[str]) -> Path:
    """The folder that a path, `file:` or `tracker:` URI names; InvalidValueError for the address of a server."""
    text = check_text(os.fspath(uri), "A tracking URI")
    if text.startswith(_OURS):
        text = _path_in(text)
    if not text.strip() or "\0" in text:
        raise InvalidValueError(f"{text!r} names no folder. Use a path such as ./runs.")
    if text.startswith("file:"):
        from urllib.request import url2pathname  # brings http and ssl with it

        return Path(url2pathname(unquote(urlsplit(text).path))).absolute()
    _refuse_address(text)
    return Path(text).expanduser().absolute()


def source_of(uri: str | os.PathLike[str]) -> Path:
    """The same for what is only read: the file in a `sqlite:` URI too, as MLflow names its database."""
    return folder_of(os.fspath(uri).removeprefix("sqlite:///"))


def _path_in(uri: str) -> str:
    """The path (or `file:` URI) in a `tracker:` URI; in one without, that of the default store."""
    rest = uri.removeprefix(_OURS)
    if rest.startswith("///"):
        return without_uri_slash(unquote(rest[2:]))
    if rest.startswith("//"):
        raise InvalidValueError(
            f"{uri!r} names a host, and a store is a folder. Write tracker:./runs, tracker:/data/runs or "
            "tracker:///data/runs."
        )
    if rest:
        return rest
    default = settings.tracking_uri()
    if default in (None, _OURS):
        return settings.DEFAULT_STORE
    return _path_in(default) if default.startswith(_OURS) else default


def without_uri_slash(path: str) -> str:
    """A path of a URI as this system writes it: `/C:/runs` has a slash too many."""
    return path[1:] if _URI_DRIVE.match(path) else path


def _refuse_address(text: str) -> None:
    scheme = scheme_of(text)
    if scheme.partition("+")[0] in _DATABASES:
        raise InvalidValueError(f"{text!r} is a database, and tracker needs none. Name a folder, such as ./runs.")
    if scheme or "://" in text:
        raise InvalidValueError(
            f"{text!r} is the address of a server, and tracker needs none. Name a folder, such as ./runs."
        )
    if text in _SERVERS:
        raise InvalidValueError(
            f"{text!r} is the name of a server, and tracker needs none. Name a folder, such as ./runs, or ./{text} if "
            "you mean one of this name."
        )
