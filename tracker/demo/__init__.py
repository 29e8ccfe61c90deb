"""The demo: real models, trained on data that scikit-learn ships and logged the way a script of yours would log them.

Each module stays on the public API, so its functions can be copied into a script:

- `iris`: one model, its parameters and scores, a confusion matrix;
- `digits`: a sweep over three families of models and three seeds with learning curves, and a run that breaks;
- `review`: the best of them as versions of a registered model, promoted with reasons;
- `diabetes`: nested cross validation, and gradient descent with a learning rate that is too large.
"""

from __future__ import annotations

from tracker.demo import diabetes, digits, iris, review
from tracker.demo.parts import Job

EXPERIMENTS = (iris.NAME, diabetes.STUDY, diabetes.DESCENT, digits.NAME)
MODELS = (iris.MODEL, review.NAME)


def jobs() -> list[Job]:
    """Everything the demo trains, in order; each job logs into the current store."""
    return [*iris.jobs(), *diabetes.jobs(), *digits.jobs(), *review.jobs()]


__all__ = ["EXPERIMENTS", "MODELS", "Job", "jobs"]
