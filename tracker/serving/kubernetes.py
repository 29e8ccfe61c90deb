"""Manifests that run an image of a model on Kubernetes, with as few rights as it needs."""

from __future__ import annotations

import re
from typing import Any

from tracker.exceptions import InvalidValueError
from tracker.yaml_files import yaml_bytes

PORT = 8080
USER = 10001
DEPLOYMENT, SERVICE = "deployment.yaml", "service.yaml"
_MIB = 1 << 20
_STEP = 256
_IMAGE = re.compile(
    r"(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::\d{1,5})?/)?"  # registry
    r"[a-z0-9]+(?:[._-]+[a-z0-9]+)*(?:/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*"  # repository
    r"(?P<version>:[\w][\w.-]{0,127}(?:@sha256:[0-9a-f]{64})?|@sha256:[0-9a-f]{64})?"
)


def check_image(image: str) -> str:
    """The name of an image with its tag or digest, or InvalidValueError."""
    found = _IMAGE.fullmatch(image)
    if not found:
        raise InvalidValueError(
            f"{image!r:.100} is no name of an image. Use lower case, and a tag: registry.example/team/iris:1"
        )
    if found["version"] in (None, ":latest"):
        raise InvalidValueError(
            f"{image!r:.100} names no version, so nobody could tell what runs. Add a tag other than latest, or a "
            f"digest: {image.partition(':')[0]}:1"
        )
    return image


def manifests(name: str, image: str, digest: str, size: int) -> dict[str, bytes]:
    """`deployment.yaml` and `service.yaml` by name.

    `digest` is the model's, `size` its bytes: they go into an annotation and the memory that is asked for.
    """
    labels = {"app.kubernetes.io/name": name, "app.kubernetes.io/managed-by": "tracker"}
    chosen = {"app.kubernetes.io/name": name}
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "labels": labels, "annotations": {"tracker/model-digest": digest}},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": chosen},
            "template": {"metadata": {"labels": labels}, "spec": _pod(image, size)},
        },
    }
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "labels": labels},
        "spec": {
            "type": "ClusterIP",
            "selector": chosen,
            "ports": [{"name": "http", "port": 80, "targetPort": "http", "protocol": "TCP"}],
        },
    }
    return {DEPLOYMENT: yaml_bytes(deployment), SERVICE: yaml_bytes(service)}


def _pod(image: str, size: int) -> dict[str, Any]:
    return {
        "automountServiceAccountToken": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "runAsGroup": USER,
            "fsGroup": USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [_container(image, size)],
        "volumes": [{"name": "tmp", "emptyDir": {}}],
    }


def _container(image: str, size: int) -> dict[str, Any]:
    ping = {"httpGet": {"path": "/ping", "port": "http"}}
    asked = _memory(size)
    return {
        "name": "model",
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "ports": [{"name": "http", "containerPort": PORT, "protocol": "TCP"}],
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "privileged": False,
            "capabilities": {"drop": ["ALL"]},
        },
        "resources": {
            "requests": {"cpu": "250m", "memory": f"{asked}Mi", "ephemeral-storage": f"{asked}Mi"},
            "limits": {"cpu": "2", "memory": f"{2 * asked}Mi", "ephemeral-storage": f"{2 * asked}Mi"},
        },
        "startupProbe": {**ping, "periodSeconds": 2, "failureThreshold": 150},
        "readinessProbe": {**ping, "periodSeconds": 5, "timeoutSeconds": 3},
        "livenessProbe": {**ping, "periodSeconds": 10, "timeoutSeconds": 5, "failureThreshold": 3},
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],
    }


def _memory(size: int) -> int:
    """Mebibytes to ask for: 512 for Python and its libraries, and twice the model, in steps of 256."""
    wanted = 512 + 2 * size // _MIB
    return -(-wanted // _STEP) * _STEP
