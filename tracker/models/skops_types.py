"""Types beyond those of skops that a skops file may hold, each looked at, with the reason why that is safe.

skops itself trusts scikit-learn's estimators, their losses, ufuncs, arrays and plain Python values. This list adds what
fitted estimators hold besides. It is a part of the loader: no model and no file adds to it. A type is on it only in
the form in which skops writes it (the loader), so that a file cannot have its constructor called some other way.

Looked at and left out: distributions of scipy.stats (they compile a text of their state when they are loaded), metrics
with a matrix or a function (PyFuncDistance, Mahalanobis, SEuclidean: read without a check of sizes), attrgetter,
methodcaller and bound methods (they reach any attribute), memory maps and everything of the standard library that
opens, imports or runs.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct


class Vetted(Struct, frozen=True):
    """A type that may be loaded from a skops file."""

    loaders: tuple[str, ...]
    """Names of the nodes of skops that may stand for it."""
    reason: str
    """Why that is safe."""
    checked: bool = False
    """Its contents are looked at before use: `tracker.models.skops_checks`."""


def _group(
    prefix: str, names: str, loaders: str, reason: str, *, checked: bool = False
) -> Iterator[tuple[str, Vetted]]:
    vetted = Vetted(tuple(loaders.split()), reason, checked)
    return ((f"{prefix}.{name}", vetted) for name in names.split())


_PLAIN = "an object of Python with parameters and arrays; loading it sets attributes only"
_COMPUTES = "a function of arrays that only computes; it is named, never called, when it is loaded"

VETTED: dict[str, Vetted] = dict(
    [
        *_group(
            "sklearn.tree._tree",
            "Tree",
            "TreeNode",
            "arrays of nodes; children, features and depth are checked, as scikit-learn follows them unchecked",
            checked=True,
        ),
        *_group(
            "sklearn.ensemble._hist_gradient_boosting.predictor",
            "TreePredictor",
            "ObjectNode",
            "an array of nodes; children, features and categories are checked, as scikit-learn follows them unchecked",
            checked=True,
        ),
        *_group(
            "sklearn.neighbors",
            "_kd_tree.KDTree _ball_tree.BallTree",
            "ObjectNode",
            "arrays of points and nodes; all indices and sizes are checked, as scikit-learn follows them unchecked",
            checked=True,
        ),
        *_group(
            "sklearn.metrics._dist_metrics",
            "EuclideanDistance64 ManhattanDistance64 ChebyshevDistance64 MinkowskiDistance64 HammingDistance64 "
            "CanberraDistance64 BrayCurtisDistance64",
            "ObjectNode",
            "a formula without data; the weights of Minkowski's are compared with the tree that uses them",
            checked=True,
        ),
        *_group(
            "scipy.interpolate._bsplines",
            "BSpline",
            "ObjectNode",
            "knots, coefficients and a degree; their sizes are checked",
            checked=True,
        ),
        *_group(
            "scipy.sparse",
            "_csr.csr_matrix _csr.csr_array _csc.csc_matrix _csc.csc_array _coo.coo_matrix _coo.coo_array "
            "_dia.dia_matrix _dia.dia_array _bsr.bsr_matrix _bsr.bsr_array",
            "SparseMatrixNode",
            "numbers and their places, read by scipy without pickle; all indices are checked",
            checked=True,
        ),
        *_group(
            "lightgbm.basic",
            "Booster",
            "ObjectNode",
            "LightGBM's own text; its trees are checked, as LightGBM follows them unchecked",
            checked=True,
        ),
        *_group("lightgbm.sklearn", "LGBMModel LGBMClassifier LGBMRegressor LGBMRanker", "ObjectNode", _PLAIN),
        *_group("collections", "OrderedDict", "DictNode TypeNode", "a dict of Python that keeps its order"),
        *_group("numpy", "dtype", "DTypeNode", "the type of an empty array"),
        *_group(
            "functools",
            "partial",
            "PartialNode",
            "only of check_array, as HistGradientBoosting keeps it for categories",
            checked=True,
        ),
        *_group("sklearn.utils.validation", "check_array", "FunctionNode", _COMPUTES),
        *_group("sklearn.utils._bunch", "Bunch", "DictNode", "a dict whose keys are attributes too"),
        *_group(
            "sklearn.utils._metadata_requests",
            "MetadataRequest MethodMetadataRequest",
            "ObjectNode",
            "which fit arguments an estimator asks for: names and flags",
        ),
        *_group(
            "sklearn.gaussian_process.kernels",
            "CompoundKernel ConstantKernel DotProduct ExpSineSquared Exponentiation Matern PairwiseKernel Product RBF "
            "RationalQuadratic Sum WhiteKernel",
            "ObjectNode",
            "a formula with its parameters, evaluated by numpy",
        ),
        *_group("sklearn.gaussian_process._gpc", "_BinaryGaussianProcessClassifierLaplace", "ObjectNode", _PLAIN),
        *_group("sklearn._loss.loss", "HalfTweedieLoss HalfTweedieLossIdentity", "ObjectNode", _PLAIN),
        *_group(
            "sklearn.calibration",
            "_CalibratedClassifier _SigmoidCalibration _TemperatureScaling",
            "ObjectNode",
            _PLAIN,
        ),
        *_group("sklearn.cluster._bisect_k_means", "_BisectingTree", "ObjectNode", _PLAIN),
        *_group("sklearn.compose._column_transformer", "make_column_selector _RemainderColsList", "ObjectNode", _PLAIN),
        *_group(
            "sklearn.impute._iterative", "_ImputerTriplet", "TupleNode", "a named tuple of an estimator and indices"
        ),
        *_group("sklearn.multiclass", "_ConstantPredictor", "ObjectNode", _PLAIN),
        *_group(
            "sklearn.neural_network._stochastic_optimizers",
            "AdamOptimizer SGDOptimizer",
            "ObjectNode",
            "the state of a training; predictions do not use it",
        ),
        *_group(
            "sklearn.model_selection._split",
            "GroupKFold GroupShuffleSplit KFold LeaveOneGroupOut LeaveOneOut LeavePGroupsOut LeavePOut PredefinedSplit "
            "RepeatedKFold RepeatedStratifiedKFold ShuffleSplit StratifiedGroupKFold StratifiedKFold "
            "StratifiedShuffleSplit TimeSeriesSplit _CVIterableWrapper",
            "ObjectNode TypeNode",
            "how a search split its data: numbers and flags",
        ),
        *_group(
            "sklearn",
            "model_selection._classification_threshold._CurveScorer",
            "ObjectNode",
            "as below, in older versions of scikit-learn",
        ),
        *_group(
            "sklearn.metrics._scorer",
            "_CurveScorer _MultimetricScorer _PassthroughScorer _Scorer",
            "ObjectNode",
            "a metric, which has to be vetted itself, with its arguments",
        ),
        *_group(
            "sklearn.metrics._scorer", "negative_likelihood_ratio positive_likelihood_ratio", "FunctionNode", _COMPUTES
        ),
        *_group(
            "sklearn.metrics._classification",
            "accuracy_score balanced_accuracy_score brier_score_loss cohen_kappa_score d2_brier_score "
            "d2_log_loss_score f1_score fbeta_score hamming_loss hinge_loss jaccard_score log_loss matthews_corrcoef "
            "precision_score recall_score zero_one_loss",
            "FunctionNode",
            _COMPUTES,
        ),
        *_group(
            "sklearn.metrics._ranking",
            "average_precision_score dcg_score label_ranking_loss ndcg_score roc_auc_score top_k_accuracy_score",
            "FunctionNode",
            _COMPUTES,
        ),
        *_group(
            "sklearn.metrics._regression",
            "d2_absolute_error_score d2_pinball_score d2_tweedie_score explained_variance_score max_error "
            "mean_absolute_error mean_absolute_percentage_error mean_gamma_deviance mean_pinball_loss "
            "mean_poisson_deviance mean_squared_error mean_squared_log_error mean_tweedie_deviance "
            "median_absolute_error r2_score root_mean_squared_error root_mean_squared_log_error",
            "FunctionNode",
            _COMPUTES,
        ),
        *_group(
            "sklearn.metrics.cluster._supervised",
            "adjusted_mutual_info_score adjusted_rand_score completeness_score fowlkes_mallows_score homogeneity_score "
            "mutual_info_score normalized_mutual_info_score rand_score v_measure_score",
            "FunctionNode",
            _COMPUTES,
        ),
        *_group(
            "sklearn.feature_selection",
            "_mutual_info.mutual_info_classif _mutual_info.mutual_info_regression _univariate_selection.chi2 "
            "_univariate_selection.f_classif _univariate_selection.f_oneway _univariate_selection.f_regression "
            "_univariate_selection.r_regression",
            "FunctionNode",
            _COMPUTES,
        ),
        *_group("sklearn.cluster._kmeans", "_kmeans_single_elkan _kmeans_single_lloyd", "FunctionNode", _COMPUTES),
        *_group("numpy", "amax amin clip max mean median min nan_to_num sum", "FunctionNode", _COMPUTES),
        *_group("scipy._lib.array_api_compat.numpy._aliases", "asarray", "FunctionNode", _COMPUTES),
    ]
)
"""By the name that skops writes."""
