"""The demo: real models, trained on data that scikit-learn ships and logged the way a script of yours would log them.

Each module stays on the public API, so its functions can be copied into a script:

- `iris`: one model, its parameters and scores, a confusion matrix;
- `digits`: a sweep over three families of models and three seeds with learning curves, and a run that breaks;
- `diabetes`: nested cross validation, and gradient descent with a learning rate that is too large.
"""

from __future__ import annotations

from tracker.demo import diabetes, digits, iris
from tracker.demo.parts import Job

EXPERIMENTS = (iris.NAME, diabetes.STUDY, diabetes.DESCENT, digits.NAME)


def jobs() -> list[Job]:
    """Everything the demo trains, in order; each job logs into the current store."""
    return [*iris.jobs(), *diabetes.jobs(), *digits.jobs()]


__all__ = ["EXPERIMENTS", "Job", "jobs"]
