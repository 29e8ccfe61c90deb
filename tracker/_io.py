"""Every operation on the files of a store, and nothing else touches them.

Each operation passes a numbered failure point: with `fault` set, a test is told before the operation happens
(and after each write), and may raise, cut the bytes short or end the process. That is how the crash tests stop
the writer at every single step. In production `fault` is None.

Errors leave here as `OSError`; `explained` turns them into a StorageError that says what to do.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import stat
import uuid
from collections.abc import Callable, Iterator
from io import BufferedReader, BufferedWriter
from pathlib import Path
from typing import TYPE_CHECKING

from tracker.exceptions import StorageError

if TYPE_CHECKING:
    from _typeshed import SupportsRead

fault: Callable[[str, str, bytes], bytes] | None = None
"""Called as fault(operation, path, data) before each operation; returns the bytes to write."""

_CREATE = (
    os.O_WRONLY
    | os.O_CREAT
    | os.O_EXCL
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_BINARY", 0)
)
_SYNC_THREADS = 8
_READ = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)


def open_log(path: Path) -> int:
    """Create a new file for appending; raises FileExistsError when it is there."""
    _point("open", path)
    _refuse_link(path.parent)
    return os.open(path, _CREATE | os.O_APPEND, 0o666)


def reopen_log(path: Path) -> int:
    """Open a file that was made by `open_log` again, to append to it; raises FileNotFoundError when it is gone."""
    _point("open", path)
    _refuse_link(path.parent)
    return os.open(path, _CREATE & ~(os.O_CREAT | os.O_EXCL) | os.O_APPEND)


def append(fd: int, path: Path, data: bytes) -> int:
    """Hand the bytes to the operating system in one write; the count may be short when the disk is full."""
    if fault is None:
        return os.write(fd, data)
    written = os.write(fd, fault("append", str(path), data))
    fault("appended", str(path), b"")
    return written


def cut_back(fd: int, path: Path, count: int) -> None:
    """Take back the last bytes that were appended, where the system lets us."""
    if count:
        _point("cut", path)
        with contextlib.suppress(OSError):
            os.ftruncate(fd, os.fstat(fd).st_size - count)


def sync(fd: int, path: Path) -> None:
    """Bring an open file to the disk."""
    _point("fsync", path)
    os.fsync(fd)


def touch(fd: int, path: Path) -> None:
    """Set the modification time to now, by the clock of the file system; `fd` is -1 for a file that is not open."""
    _point("touch", path)
    os.utime(fd if fd >= 0 and os.utime in os.supports_fd else path)


def close(fd: int) -> None:
    """Close a file without a word: whoever cares has synced before."""
    with contextlib.suppress(OSError):
        os.close(fd)


def make_folder(path: Path, *, inside: Path) -> None:
    """Make a folder and those above it; one that is there is fine, a link below `inside` is not: it may lead out."""
    _point("mkdir", path)
    place = inside
    for part in path.relative_to(inside).parts:
        place /= part
        _refuse_link(place)
    path.mkdir(parents=True, exist_ok=True)


def create_folder(path: Path) -> None:
    """Make a folder in one that is there; raises FileExistsError when another process was first."""
    _point("mkdir", path)
    path.mkdir()


def _refuse_link(folder: Path) -> None:
    if folder.is_symlink():
        raise OSError(errno.ELOOP, f"{folder.name!r} is a link, and links are not followed", str(folder))


def replace_file(path: Path, data: bytes, *, durable: bool, work: Path | None = None) -> None:
    """Put a whole file in place of what is there, or of nothing. Readers see the old one or the new one.

    It is written beside the other one first, or in the folder `work`.
    """
    aside = _write_aside(work / path.name if work else path, data, durable=durable)
    try:
        _point("rename", path)
        aside.replace(path)
    except BaseException:
        discard(aside)
        raise
    if durable:
        sync_folder(path.parent)


def create_file(path: Path, data: bytes, *, durable: bool) -> None:
    """Put a whole file where none is; raises FileExistsError when another process was first."""
    aside = _write_aside(path, data, durable=durable)
    try:
        _point("link", path)
        _link(aside, path)
    finally:
        discard(aside)
    if durable:
        sync_folder(path.parent)


def write_new(path: str, data: bytes) -> None:
    """Put a file into a folder that nobody reads yet; raises FileExistsError when it is there."""
    _point("open", Path(path))
    fd = os.open(path, _CREATE, 0o666)
    try:
        _write_all(fd, Path(path), data)
    finally:
        close(fd)


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[BufferedWriter]:
    """A file to write piece by piece, which then stands in place of what is there, or not at all."""
    aside = _aside(path)
    try:
        _point("open", aside)
        with os.fdopen(os.open(aside, _CREATE, 0o666), "wb") as writer:
            yield writer
        _point("rename", path)
        aside.replace(path)
    except BaseException:
        discard(aside)
        raise


def copy_file(source: SupportsRead[bytes], target: Path, *, durable: bool) -> int:
    """Put the rest of an open file in place of what is there; returns how many bytes that was."""
    aside = _aside(target)
    try:
        _point("copy", target)
        with os.fdopen(os.open(aside, _CREATE, 0o666), "wb") as writer:
            shutil.copyfileobj(source, writer, 1 << 20)
            writer.flush()
            if durable:
                sync(writer.fileno(), aside)
            size = writer.tell()
        _point("rename", target)
        aside.replace(target)
    except BaseException:
        discard(aside)
        raise
    return size


def link_file(source: Path, target: Path) -> None:
    """Give a file a second name, in place of what is there; OSError where the file system cannot."""
    aside = _aside(target)
    try:
        _point("link", target)
        options = {"follow_symlinks": False} if os.link in os.supports_follow_symlinks else {}
        os.link(source, aside, **options)
        aside.replace(target)
    finally:
        discard(aside)  # it stays where both were the same file already


def move_folder(source: Path, target: Path, *, durable: bool) -> None:
    """Rename a folder to a name that is free; raises FileExistsError (or OSError) when it is not."""
    _point("rename", target)
    if os.path.lexists(target):
        raise FileExistsError(errno.EEXIST, "There is such a folder already", str(target))
    try:
        source.rename(target)
    except OSError as error:
        if error.errno == errno.ENOTEMPTY:
            raise FileExistsError(errno.EEXIST, "There is such a folder already", str(target)) from None
        raise
    if durable:
        sync_folder(target.parent)


def remove_tree(path: Path) -> None:
    """Delete a folder and all in it; parts that resist are left."""
    _point("rmtree", path)
    shutil.rmtree(path, ignore_errors=True)


def sync_folder(path: Path) -> None:
    """Bring the names in a folder to the disk, where the system can."""
    if os.name == "nt":
        return
    _point("fsync-folder", path)
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        close(fd)


def sync_tree(path: Path) -> None:
    """Bring all files of a folder to the disk, at once rather than one after the other, and then their names."""
    from concurrent.futures import ThreadPoolExecutor  # brings logging with it

    places = [(Path(place), files) for place, _, files in os.walk(path)]
    with ThreadPoolExecutor(_SYNC_THREADS) as pool:
        list(pool.map(_sync_file, [place / name for place, files in places for name in files]))
    for place, _ in places:
        sync_folder(place)


def _sync_file(path: Path) -> None:
    fd = os.open(path, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0))
    try:
        sync(fd, path)
    finally:
        close(fd)


def is_folder(path: Path | str) -> bool:
    """Whether a folder lies there itself: no link to one, and nothing that cannot be looked at."""
    try:
        return stat.S_ISDIR(os.lstat(path).st_mode)
    except (OSError, ValueError):
        return False


def is_file(path: Path | str) -> bool:
    """Whether a regular file lies there itself: no link to one, and nothing that cannot be looked at."""
    try:
        return stat.S_ISREG(os.lstat(path).st_mode)
    except (OSError, ValueError):
        return False


def open_regular(path: Path) -> BufferedReader:
    """Open a regular file for reading; a link, pipe, device or folder raises OSError at once."""
    return os.fdopen(open_descriptor(path)[0], "rb")


def size_of(reader: BufferedReader) -> int:
    """Bytes of an open file."""
    return os.fstat(reader.fileno()).st_size


def read_file(path: Path | str, *, limit: int) -> bytes:
    """The bytes of a regular file of at most `limit` bytes; anything else raises OSError."""
    fd, info = open_descriptor(path)
    size = info.st_size
    try:
        if size > limit:
            raise OSError(errno.EFBIG, f"Larger than {limit:,} bytes", str(path))
        data = os.read(fd, size)
        while len(data) < size and (more := os.read(fd, size - len(data))):
            data += more
        return data
    finally:
        close(fd)


def open_descriptor(path: Path | str) -> tuple[int, os.stat_result]:
    """The same as a bare descriptor, which the caller closes, with what the system knows of the file."""
    fd = os.open(path, _READ)
    info = os.fstat(fd)
    if stat.S_ISREG(info.st_mode):
        return fd, info
    close(fd)
    raise OSError(errno.EINVAL, "Not a regular file", str(path))


@contextlib.contextmanager
def explained(action: str, path: Path) -> Iterator[None]:
    """Turn an OSError of the block into a StorageError that names the action, the path and the remedy."""
    try:
        yield
    except StorageError:
        raise
    except OSError as error:
        raise storage_error(action, path, error) from error


def storage_error(action: str, path: Path, error: OSError) -> StorageError:
    """The StorageError for an OSError, with its errno and a remedy."""
    reason = error.strerror or str(error)
    made = StorageError(f"Could not {action} {path}: {reason}. {_remedy(error.errno, path)}")
    made.errno = error.errno
    return made


def _remedy(number: int | None, path: Path) -> str:
    if number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return (
            f"{_free_space(path)}What was logged before is safe. Free some space and log on; "
            "to train through a full disk, set TRACKER_ON_ERROR=warn."
        )
    if number in (errno.EACCES, errno.EPERM, errno.EROFS):
        return "Check who may write there, or name another store with tracker.set_tracking_uri()."
    return "What was logged before is safe."


def _free_space(path: Path) -> str:
    for folder in (path, *path.parents):
        with contextlib.suppress(OSError):
            return f"{shutil.disk_usage(folder).free:,} bytes are free there. "
    return ""


def _point(operation: str, path: Path) -> None:
    if fault is not None:
        fault(operation, str(path), b"")


def _aside(path: Path) -> Path:
    return path.with_name(f".new-{uuid.uuid4().hex}")


def _write_aside(path: Path, data: bytes, *, durable: bool) -> Path:
    aside = _aside(path)
    _point("open", aside)
    fd = os.open(aside, _CREATE, 0o666)
    try:
        _write_all(fd, aside, data)
        if durable:
            sync(fd, aside)
    except BaseException:
        discard(aside)
        raise
    finally:
        close(fd)
    return aside


def _write_all(fd: int, path: Path, data: bytes) -> None:
    written = append(fd, path, data)
    while 0 < written < len(data):
        count = append(fd, path, data[written:])
        if count == 0:
            break
        written += count
    if written != len(data):
        raise OSError(errno.ENOSPC, "The disk took only a part of the bytes", str(path))


def _link(source: Path, target: Path) -> None:
    """Link, and believe the link count rather than the answer: NFS may repeat a call that succeeded."""
    try:
        os.link(source, target)
    except FileExistsError:
        raise
    except OSError:
        if target.exists() and source.stat().st_nlink == 2:
            return
        if target.exists():
            raise FileExistsError(errno.EEXIST, "There is such a file already", str(target)) from None
        source.rename(target)  # a file system without links


def discard(path: Path) -> None:
    """Delete a file that is of no use; one that resists is left."""
    with contextlib.suppress(OSError):
        path.unlink()
