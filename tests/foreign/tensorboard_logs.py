"""Writes logs with real writers of event files, and prints what TensorBoard's own reader says is in them.

Runs with the Python of the environment `peers`.
"""

from __future__ import annotations

import base64
import json
import struct
import sys
from pathlib import Path
from typing import Any

import numpy as np
from tensorboard.backend.event_processing import event_accumulator, plugin_event_accumulator
from tensorboard.compat.proto import event_pb2, summary_pb2, types_pb2
from tensorboard.plugins.audio import metadata as audio
from tensorboard.plugins.histogram import metadata as histogram
from tensorboard.plugins.hparams import api_pb2, plugin_data_pb2
from tensorboard.plugins.hparams import metadata as hparams
from tensorboard.plugins.image import metadata as image
from tensorboard.plugins.scalar import metadata as scalar
from tensorboard.plugins.text import metadata as text
from tensorboard.summary import Writer
from tensorboard.summary.writer.event_file_writer import EventFileWriter
from tensorboard.summary.writer.record_writer import RecordWriter
from tensorboard.util import tensor_util
from tensorboardX import SummaryWriter

WALL = 1_700_000_000.25
HARD_VALUES = [0.1, float("nan"), float("inf"), float("-inf"), 1e-30, -5.0]
WAV = b"RIFF\x28\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0@\x1f\0\0\x80>\0\0\2\0\x10\0data\4\0\0\0\0\0\1\0"


def write(root: Path) -> None:
    """All that the writers can do."""
    by_tensorboardx(root / "exp1")
    several_hparams(root / "sweep")
    restarted(root / "restarted")
    tensors(root / "tf2" / "train")
    keras_session(root / "keras" / "run-0")
    keras_session(root / "keras" / "run-1", failed=True)
    without_version(root / "old")
    plain = Writer(str(root / "plain"))
    for step in range(4):
        plain.add_scalar("loss", 1 / (step + 1), step, wall_time=WALL + step)
    plain.close()
    SummaryWriter(str(root / "empty")).close()


def by_tensorboardx(folder: Path) -> None:
    """A writer as PyTorch has it: scalars, groups of them, media, texts, histograms and one set of hyperparameters."""
    with SummaryWriter(str(folder)) as writer:
        for step, value in enumerate(HARD_VALUES):
            writer.add_scalar("hard", value, step, walltime=WALL + step / 8)
        for step in (3, 1, 2, 2, 127, 128, 16_383, 16_384, 3_000_000, -1, -(1 << 62)):
            writer.add_scalar("val/loss of all: ö", step / 7, step, walltime=WALL)
        writer.add_scalar("no step", 0.5, walltime=WALL)
        writer.add_scalar("no step", 0.25, walltime=WALL + 1)
        for step in range(3):
            writer.add_scalars("both", {"train": step / 2, "val": step / 3}, step, walltime=WALL + step)
            writer.add_image("samples/out", np.full((3, 4, 5), step * 40, dtype=np.uint8), step)
            writer.add_text("predictions", f"The *answer* at {step}.\nIn two lines.", step)
        writer.add_image("odd: name?/..", np.zeros((3, 4, 5), dtype=np.uint8), 7)
        writer.add_image("odd: name?/..", np.ones((3, 4, 5), dtype=np.uint8), 7)
        writer.add_text("commit", "abc1234")
        writer.add_text("config", "|param|value|\n|-|-|\n|lr|0.1|")
        writer.add_histogram("weights", np.arange(10.0), 0)
        writer.add_hparams({"lr": 0.1, "bsize": 16, "opt": "adam", "amp": True}, {"hparam/accuracy": 0.75})


def several_hparams(folder: Path) -> None:
    """A sweep in one writer, as the documentation of PyTorch shows it."""
    with SummaryWriter(str(folder)) as writer:
        for number in range(3):
            name = f"{1_700_000_000 + number}.5"
            writer.add_hparams({"lr": 0.1 * number}, {"hparam/accuracy": number / 4}, name=name)


def restarted(folder: Path) -> None:
    """A training that died at step 9 and went on from step 6, in a second file; then from step 8, in a third."""
    for number, (first, purge) in enumerate(((0, None), (6, 6), (8, 8))):
        with SummaryWriter(str(folder), purge_step=purge, filename_suffix=f".{number}") as writer:
            for step in range(first, 10):
                writer.add_scalar("loss", step + number / 10, step, walltime=WALL + 100 * number + step)
                writer.add_image("image", np.full((3, 2, 2), step * 10 + number, dtype=np.uint8), step)


def value_of(tag: str, data: Any, metadata: Any = None) -> Any:
    """A value with a tensor."""
    tensor = data if hasattr(data, "dtype") and hasattr(data, "tensor_shape") else tensor_util.make_tensor_proto(data)
    return summary_pb2.Summary.Value(tag=tag, tensor=tensor, metadata=metadata)


def tensors(folder: Path) -> None:
    """The way of TensorFlow 2: tensors, where the first value of a tag says what it is."""
    writer = EventFileWriter(str(folder))

    def add(step: int, *values: Any, **other: Any) -> None:
        summary = summary_pb2.Summary(value=values) if values else None
        writer.add_event(event_pb2.Event(wall_time=WALL + step, step=step, summary=summary, **other))

    kinds = {
        "float": np.float32, "double": np.float64, "half": np.float16, "int": np.int32, "long": np.int64,
        "byte": np.uint8, "bool": np.bool_, "short": np.int16,
    }  # fmt: skip
    meta = scalar.create_summary_metadata(display_name="", description="")
    for step in range(4):
        first = meta if step == 0 else None
        for name, kind in kinds.items():
            add(step, value_of(f"kinds/{name}", np.asarray(step / 2 + 0.25).astype(kind), first))
        content = tensor_util.make_tensor_proto(np.float32(0))
        del content.float_val[:]
        content.tensor_content = struct.pack("<f", step / 3)
        add(step, value_of("kinds/content", content, first))
        brain = tensor_util.make_tensor_proto(np.float32(0))
        del brain.float_val[:]
        brain.dtype = types_pb2.DT_BFLOAT16
        brain.half_val.append(0x3F80 + step)
        add(step, value_of("kinds/bfloat16", brain, first))
        add(step, value_of("a", np.float32(step), first), value_of("b", np.float32(-step), first))
    add(1, value_of("val/loss of all: ö?", np.float32(0.5), meta))
    png = encoded()
    pictures = image.create_summary_metadata(display_name="", description="")
    for step in range(2):
        add(step, value_of("pictures", [b"5", b"4", png, png], pictures if step == 0 else None))
        add(step, value_of("sentence", f"step {step}", text.create_summary_metadata("", "")))
    add(0, value_of("list", [b"one", b"two"], text.create_summary_metadata("", "")))
    encoding = audio.Encoding.Value("WAV")
    add(1, value_of("sound", [[WAV, b"label"]], audio.create_summary_metadata("", "", encoding)))
    add(2, summary_pb2.Summary.Value(tag="old sound", audio={"encoded_audio_string": WAV, "content_type": "audio/wav"}))
    add(1, value_of("bins", np.zeros((2, 3)), histogram.create_summary_metadata("", "")))
    add(1, graph_def=b"")
    writer.close()


def encoded() -> bytes:
    """A picture."""
    import io

    from PIL import Image

    made = io.BytesIO()
    Image.new("RGB", (5, 4), (200, 10, 10)).save(made, "png")
    return made.getvalue()


def keras_session(folder: Path, *, failed: bool = False) -> None:
    """What the HParams callback of Keras writes, with the scalars in a folder of their own."""
    writer = EventFileWriter(str(folder))

    def add(tag: str, content: Any, wall: float) -> None:
        value = summary_pb2.Summary.Value(tag=tag, metadata=hparams.create_summary_metadata(content))
        value.tensor.CopyFrom(hparams.NULL_TENSOR)
        writer.add_event(event_pb2.Event(wall_time=wall, summary=summary_pb2.Summary(value=[value])))

    start = plugin_data_pb2.SessionStartInfo(start_time_secs=WALL, group_name="g")
    start.hparams["units"].number_value = 32
    start.hparams["rate"].number_value = 0.5
    start.hparams["optimizer"].string_value = "adam"
    start.hparams["bias"].bool_value = True
    add(hparams.SESSION_START_INFO_TAG, plugin_data_pb2.HParamsPluginData(session_start_info=start), WALL)
    status = api_pb2.STATUS_FAILURE if failed else api_pb2.STATUS_SUCCESS
    end = plugin_data_pb2.SessionEndInfo(status=status, end_time_secs=WALL + 60)
    add(hparams.SESSION_END_INFO_TAG, plugin_data_pb2.HParamsPluginData(session_end_info=end), WALL + 60)
    writer.close()
    below = Writer(str(folder / "train"))
    below.add_scalar("epoch_loss", 0.5, 0, wall_time=WALL + 1)
    below.close()


def without_version(folder: Path) -> None:
    """A file of before versions, where a step that goes back means a restart."""
    folder.mkdir(parents=True)
    with (folder / "events.out.tfevents.1.host").open("wb") as file:
        records = RecordWriter(file)
        for step, tag in [(1, "a"), (2, "a"), (3, "a"), (3, "b"), (2, "a"), (3, "a"), (2, "b")]:
            summary = summary_pb2.Summary(value=[summary_pb2.Summary.Value(tag=tag, simple_value=step)])
            event = event_pb2.Event(wall_time=WALL + step, step=step, summary=summary)
            records.write(event.SerializeToString())
        records.flush()


def report(root: Path) -> dict[str, Any]:
    """What TensorBoard's readers say of each folder with event files."""
    folders = sorted({path.parent for path in root.rglob("*tfevents*")})
    return {folder.relative_to(root).as_posix(): run_report(folder) for folder in folders}


def run_report(folder: Path) -> dict[str, Any]:
    """One run: scalars as points, media as their bytes, texts."""
    old = event_accumulator.EventAccumulator(
        str(folder), size_guidance=event_accumulator.STORE_EVERYTHING_SIZE_GUIDANCE
    ).Reload()
    new = plugin_event_accumulator.EventAccumulator(str(folder), size_guidance={"tensors": 0}).Reload()
    found: dict[str, Any] = {"scalars": {}, "images": {}, "texts": {}, "first": old.FirstEventTimestamp()}
    for tag in old.Tags()["scalars"]:
        found["scalars"][tag] = [[one.step, one.wall_time, repr(float(one.value))] for one in old.Scalars(tag)]
    for tag in old.Tags()["images"]:
        found["images"][tag] = [
            [one.step, base64.b64encode(one.encoded_image_string).decode()] for one in old.Images(tag)
        ]
    plugins = {tag: one.plugin_data.plugin_name for tag, one in new.AllSummaryMetadata().items()}
    for tag, plugin in plugins.items():
        if tag in found["scalars"] or tag in found["images"] or tag not in new.Tags()["tensors"]:
            continue
        if new.Tensors(tag)[0].tensor_proto.dtype == types_pb2.DT_BFLOAT16:
            continue  # which this reader cannot decode by itself
        values = [(one.step, one.wall_time, tensor_util.make_ndarray(one.tensor_proto)) for one in new.Tensors(tag)]
        if plugin == "scalars":
            found["scalars"][tag] = [[step, wall, repr(float(value.item()))] for step, wall, value in values]
        elif plugin == "images":
            found["images"][tag] = [
                [step, base64.b64encode(one).decode()] for step, _, value in values for one in value[2:]
            ]
        elif plugin == "text":
            found["texts"][tag] = [[step, [one.decode() for one in np.atleast_1d(value)]] for step, _, value in values]
    return found


if __name__ == "__main__":
    place = Path(sys.argv[1])
    if len(sys.argv) == 2:
        write(place)
    print(json.dumps(report(place)))
