"""Images, sounds and texts of TensorBoard's event files as artifacts of a run."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from tracker.foreign.artifact_names import ArtifactNames
from tracker.foreign.records import FilePart
from tracker.foreign.tfevents import Events, Media, Text

MAX_TAG = 250
"""Characters of a text that becomes a tag, when it is one line and was logged once."""
_TYPES = ((b"\x89PNG", "png"), (b"\xff\xd8\xff", "jpeg"), (b"GIF8", "gif"), (b"BM", "bmp"))
_RIFF_TYPES = {b"WEBP": "webp", b"WAVE": "wav"}
_OLD_ENDING = "/text_summary"
"""What some writers add to the tag of a text."""
Files = dict[str, Path | FilePart | bytes]


def files_of(events: Events) -> tuple[Files, dict[str, str]]:
    """Files by the path that each gets among the artifacts, and the texts that are tags."""
    names = ArtifactNames()
    files: Files = {}
    for kind, by_tag in events.media.items():
        for tag, found in by_tag.items():
            files.update(_media_files(names.path(kind, tag), found))
    tags = {}
    for tag, texts in events.texts.items():
        name = tag.removesuffix(_OLD_ENDING)
        if len(texts) == 1 and len(texts[0].text) <= MAX_TAG and "\n" not in texts[0].text.strip():
            tags[name] = texts[0].text
        elif texts:
            files[names.path("text", name) + ".md"] = _markdown(texts)
    return files, tags


def _media_files(folder: str, found: list[Media]) -> Files:
    files: Files = {}
    seen: Counter[int] = Counter()
    for media in found:
        path = f"{folder}/{media.step}-{seen[media.step]}.{_type_of(media.head)}"
        files[path] = FilePart(media.file, media.offset, media.size)
        seen[media.step] += 1
    return files


def _type_of(head: bytes) -> str:
    if head[:4] == b"RIFF":
        return _RIFF_TYPES.get(head[8:12], "bin")
    return next((name for start, name in _TYPES if head.startswith(start)), "bin")


def _markdown(texts: list[Text]) -> bytes:
    """One file of the texts of a tag, with a heading for each step where there are several."""
    if len(texts) == 1:
        return texts[0].text.encode(errors="replace")
    ordered = sorted(texts, key=lambda one: one.step)
    return "\n\n".join(f"## Step {one.step}\n\n{one.text}" for one in ordered).encode(errors="replace") + b"\n"
