"""The application that `serve_config.yaml` names."""

from __future__ import annotations

import os
from collections.abc import Mapping

from ray.serve import Application

from amt_ray.errors import RequestError
from amt_ray.serving.deployment import composer_deployment

DEFAULT_BUNDLE = "/models/amt_ray"


def build(args: Mapping[str, str]) -> Application:
    """Bind the deployment to a model: `args["bundle"]`, else the variable AMT_RAY_BUNDLE, else `DEFAULT_BUNDLE`.

    Raises RequestError for any other argument. The bundle itself is read by the replicas, on their machines.
    """
    unknown = sorted(set(args) - {"bundle"})
    if unknown:
        raise RequestError("args", ", ".join(unknown), "bundle")
    bundle = args.get("bundle") or os.environ.get("AMT_RAY_BUNDLE") or DEFAULT_BUNDLE
    application: Application = composer_deployment.bind(bundle)
    return application
