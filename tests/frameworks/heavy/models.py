"""Small models of PyTorch, Keras and TensorFlow, by name, with the data that they take and what they answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

MATRIX = np.linspace(-1, 1, 40, dtype=np.float32).reshape(10, 4)
FRAME = pd.DataFrame(MATRIX, columns=list("abcd"))


@dataclass(frozen=True)
class Case:
    """A model and how it is used."""

    flavor: str
    """The module of tracker, or of MLflow."""
    make: Callable[[], Any]
    """Makes it, the same each time."""
    native: Callable[[Any, Any], Any]
    """The predictions of the bare model, in the form that pyfunc gives."""
    safe: bool
    """Whether it loads from anywhere."""
    options: tuple[tuple[str, Any], ...] = ()
    """More arguments of save_model."""

    @property
    def inputs(self) -> Any:
        """What its pyfunc predicts on."""
        return MATRIX


def network() -> Any:
    """Layers of PyTorch, one of which is another in training."""
    import torch

    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.ReLU(), torch.nn.Dropout(0.5), torch.nn.Linear(3, 2))


def script() -> Any:
    """The same as TorchScript."""
    import torch

    return torch.jit.trace(network().eval(), torch.zeros(2, 4))


def own_module() -> Any:
    """A class that exists in a script only."""
    import torch

    class Halved(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.share = torch.nn.Parameter(torch.tensor(0.5))

        def forward(self, values: Any) -> Any:
            return values * self.share

    Halved.__module__ = "__main__"
    return Halved()


def torch_native(model: Any, data: Any) -> Any:
    """Without gradients, and in the mode for predicting."""
    import torch

    if not isinstance(model, torch.fx.GraphModule):
        model.eval()
    with torch.no_grad():
        return model(torch.from_numpy(data)).numpy()


def keras_model() -> Any:
    """Two layers, compiled."""
    import keras

    keras.utils.set_random_seed(0)
    layers = [keras.Input((4,)), keras.layers.Dense(3, activation="relu"), keras.layers.Dense(2)]
    model = keras.Sequential(layers)
    model.compile(
        loss="mse", optimizer=keras.optimizers.Adam(keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.9))
    )
    return model


def keras_graph() -> Any:
    """Layers that are connected by hand, with all sorts of settings."""
    import keras

    keras.utils.set_random_seed(0)
    start = keras.Input((4,), name="start")
    wide = keras.layers.Dense(6, kernel_regularizer=keras.regularizers.L2(0.1), activation="gelu")(start)
    wide = keras.layers.BatchNormalization()(keras.layers.Dropout(0.2)(wide))
    end = keras.layers.Dense(1, kernel_initializer=keras.initializers.HeNormal(seed=1))(
        keras.layers.Concatenate()([wide, start])
    )
    return keras.Model(start, end)


def keras_native(model: Any, data: Any) -> Any:
    """Without a bar of progress."""
    return model.predict(data, verbose=0)


def tensorflow_module() -> Any:
    """A module with a variable."""
    import tensorflow as tf

    class Doubled(tf.Module):
        def __init__(self) -> None:
            super().__init__()
            self.factor = tf.Variable(2.0)

        @tf.function(input_signature=[tf.TensorSpec([None, 4], tf.float32)])
        def __call__(self, values: Any) -> Any:
            return values * self.factor

    return Doubled()


def tensorflow_native(model: Any, data: Any) -> Any:
    """A module is called."""
    return model(data).numpy()


CASES = {
    "pytorch": Case("pytorch", network, torch_native, False, (("serialization_format", "pickle"),)),
    "pytorch, TorchScript": Case("pytorch", script, torch_native, False, (("serialization_format", "pickle"),)),
    "pytorch, own class": Case("pytorch", own_module, torch_native, False, (("serialization_format", "pickle"),)),
    "pytorch, exported": Case(
        "pytorch",
        lambda: network().eval(),
        torch_native,
        False,
        (("serialization_format", "pt2"), ("input_example", MATRIX)),
    ),
    "keras": Case("keras", keras_model, keras_native, True),
    "keras, connected": Case("keras", keras_graph, keras_native, True),
    "tensorflow": Case("tensorflow", tensorflow_module, tensorflow_native, False),
    "tensorflow, keras": Case("tensorflow", keras_model, keras_native, True),
}
