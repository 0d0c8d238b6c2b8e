from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import pytest
import ray
import yaml
from pydantic import BaseModel

# Ray Serve's own settings are written in a way that pydantic gives up; so Ray Serve is imported in the tests.
pytestmark = pytest.mark.filterwarnings("ignore:Using extra keyword arguments on `Field`:DeprecationWarning")
REPOSITORY = Path(__file__).parents[1]


def load(name: str) -> dict:
    return yaml.safe_load((REPOSITORY / name).read_text(encoding="utf-8"))


def parsed(values: dict) -> BaseModel:
    """Return a config as Ray Serve reads it."""
    from ray.serve.schema import ServeDeploySchema

    return ServeDeploySchema.model_validate(values)


@pytest.fixture(scope="module")
def cluster_schema() -> dict:
    return json.loads((Path(ray.__file__).parent / "autoscaler" / "ray-schema.json").read_text(encoding="utf-8"))


def unknown_keys(values: dict, model: BaseModel) -> list[str]:
    """Keys that a schema of Ray Serve accepts and ignores."""
    found = [key for key in values if key not in type(model).model_fields]
    for key, value in values.items():
        part = getattr(model, key, None)
        for each, one in zip(value, part, strict=True) if isinstance(value, list) else [(value, part)]:
            found += unknown_keys(each, one) if isinstance(one, BaseModel) else []
    return found


def test_ray_serve_takes_every_line_of_its_config():
    values = load("serve_config.yaml")
    assert unknown_keys(values, parsed(values)) == []


def test_a_misspelt_line_would_be_found():
    values = load("serve_config.yaml")
    values["applications"][0]["deployments"][0]["max_onging_requests"] = 1
    assert unknown_keys(values, parsed(values)) == ["max_onging_requests"]


def test_the_service_is_not_open_to_the_network():
    values = load("serve_config.yaml")
    assert values["http_options"]["host"] == "127.0.0.1"
    assert values["http_options"]["port"] == 8080


def test_the_config_says_what_the_deployment_has():
    from amt_ray.serving.app import build
    from amt_ray.serving.deployment import MAX_BATCH, composer_deployment

    (application,) = parsed(load("serve_config.yaml")).applications
    (deployment,) = application.deployments
    assert application.import_path == f"{build.__module__}:{build.__name__}"
    assert deployment.name == composer_deployment.name
    ours = composer_deployment._deployment_config
    for name in ("max_ongoing_requests", "max_queued_requests", "backpressure_config", "graceful_shutdown_timeout_s"):
        assert getattr(deployment, name) == getattr(ours, name)
    for name, value in deployment.autoscaling_config.items():
        assert getattr(ours.autoscaling_config, name) == value
    assert ours.max_ongoing_requests >= 2 * MAX_BATCH
    assert ours.max_constructor_retry_count == 1


def test_the_cluster_config_fits_rays_schema(cluster_schema):
    jsonschema.validate(load("cluster.yaml"), cluster_schema)


@pytest.mark.parametrize("change", [{"idle_minutes": 5}, {"max_workers": -1}, {"provider": {}}, {"auth": {"user": "me"}}])
def test_a_mistake_in_the_cluster_config_would_be_found(cluster_schema, change):
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(load("cluster.yaml") | change, cluster_schema)


def test_the_cluster_is_closed():
    cluster = load("cluster.yaml")
    starts = [*cluster["head_start_ray_commands"], *cluster["worker_start_ray_commands"]]
    assert [re.findall(r"--dashboard-host=(\S+)", line) for line in starts if "--head" in line] == [["127.0.0.1"]]
    assert "0.0.0.0" not in json.dumps(cluster)
    assert cluster["file_mounts"]["/home/ubuntu/.ray/auth_token"] == "~/.ray/auth_token"
    assert any("RAY_AUTH_MODE=token" in line for line in cluster["setup_commands"])
    assert all(node["node_config"]["SecurityGroupIds"] for node in cluster["available_node_types"].values())


def test_workers_come_and_go_and_some_have_a_gpu():
    cluster = load("cluster.yaml")
    workers = {name: node for name, node in cluster["available_node_types"].items() if name != cluster["head_node_type"]}
    assert {name: node["min_workers"] for name, node in workers.items()} == {"cpu_worker": 0, "gpu_worker": 0}
    assert sum(node["max_workers"] for node in workers.values()) <= cluster["max_workers"]
    assert [node["resources"].get("GPU", 0) for node in workers.values()] == [0, 1]
