"""Each platform's manifest against that platform's own schema, and what holds on every road: a key, probes, an end in peace."""

import copy
import json
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

from model.errors import RecognitionError
from serving.settings import Settings
from tests.support.platforms import (
    FOLDER,
    STORE,
    faults_by_azure,
    faults_by_crd,
    faults_by_google,
    faults_by_schemastore,
    manifests,
)

KUBERNETES = "1.33"
CRDS = {
    "knative/service.yaml": "knative-service.crd.yaml",
    "knative/uploads.yaml": "knative-service.crd.yaml",
    "kubernetes/keda.yaml": "keda-scaledobject.crd.yaml",
}
GRACE = 25  # s; gunicorn's, see serving/gunicorn_conf.py


@pytest.mark.parametrize("document", manifests("kubernetes/recognition.yaml"), ids=lambda document: document["kind"])
def test_kubernetes_knows_every_field(document):
    kubernetes_validate.validate(document, KUBERNETES, strict=True)


@pytest.mark.parametrize(("manifest", "definition"), CRDS.items())
def test_a_custom_resource_is_as_its_definition_says(shared_data, manifest, definition):
    document = manifests(manifest)[0]
    place = shared_data / "schemas" / definition
    assert not faults_by_crd(document, place)
    document["spec"]["unknown"] = 1
    assert faults_by_crd(document, place)


def test_cloud_run_knows_every_field():
    [document] = manifests("cloud-run/service.yaml")
    assert not faults_by_google(document)
    document["spec"]["template"]["spec"]["containers"][0]["lifecycle"] = {}
    assert faults_by_google(document)


def test_container_apps_know_every_field():
    [document] = manifests("azure-container-apps/containerapp.yaml")
    assert not list(faults_by_azure(document))
    wrong = copy.deepcopy(document)
    wrong["properties"]["template"]["containers"][0]["probes"][0]["type"] = "Start"
    wrong["properties"]["configuration"]["ingres"] = {}
    assert len(list(faults_by_azure(wrong))) == 2


def test_events_are_delivered_to_a_service_that_only_the_cluster_sees():
    service, trigger = manifests("knative/uploads.yaml")
    subscriber = trigger["spec"]["subscriber"]
    assert (subscriber["ref"]["name"], subscriber["uri"]) == (service["metadata"]["name"], "/v1/events")
    assert service["metadata"]["labels"] == {"networking.knative.dev/visibility": "cluster-local"}


def test_azure_functions_start_the_server_that_the_image_starts():
    host = json.loads((FOLDER / "azure-functions" / "host.json").read_text())["customHandler"]
    image = (FOLDER.parents[1] / "Dockerfile").read_text()
    command = [host["description"]["defaultExecutablePath"], *host["description"]["arguments"]]
    assert f"ENTRYPOINT {json.dumps(command)}" in image
    assert host["enableForwardingHttpRequest"] is True


@pytest.mark.skipif(not STORE.exists(), reason="needs the schemas of `npm ci`")
@pytest.mark.parametrize(
    ("file", "section", "wrong"),
    [("host.json", "customHandler", []), ("recognition/function.json", "bindings", [{"type": "httpTrigger"}])],
)
def test_azure_functions_files_are_as_their_schema_says(file, section, wrong):
    document = json.loads((FOLDER / "azure-functions" / file).read_text())
    schema = Path(file).name
    assert not faults_by_schemastore(document, schema)
    assert faults_by_schemastore(document | {section: wrong}, schema)


def test_azure_functions_ask_for_a_key_at_every_address():
    [http, _] = json.loads((FOLDER / "azure-functions" / "recognition" / "function.json").read_text())["bindings"]
    assert (http["authLevel"], http["route"]) == ("function", "{*path}")


def key_source(environment):
    """Where API_KEYS comes from, in a list or a mapping of variables."""
    if isinstance(environment, dict):
        return environment["API_KEYS"]
    [entry] = [entry for entry in environment if entry["name"] == "API_KEYS"]
    return entry


def test_on_every_road_nobody_comes_in_without_a_key():
    [knative], kubernetes = manifests("knative/service.yaml"), manifests("kubernetes/recognition.yaml")[0]
    for document in (knative, kubernetes):
        reference = key_source(document["spec"]["template"]["spec"]["containers"][0]["env"])["valueFrom"][
            "secretKeyRef"
        ]
        assert not reference.get("optional")  # the container does not start without it
    [app] = manifests("azure-container-apps/containerapp.yaml")
    [openfaas] = manifests("openfaas/stack.yaml")
    given = key_source(openfaas["functions"]["recognition"]["environment"])
    [secret] = app["properties"]["configuration"]["secrets"]
    assert key_source(app["properties"]["template"]["containers"][0]["env"])["secretRef"] == secret["name"]
    for unset in (given.removeprefix("${API_KEYS:-").removesuffix("}"), secret["value"]):
        with pytest.raises(RecognitionError, match="API_KEYS"):
            Settings.from_environment({"API_KEYS": unset})


def test_what_is_in_flight_has_its_time_where_a_platform_lets_itself_be_told():
    pod = manifests("kubernetes/recognition.yaml")[0]["spec"]["template"]["spec"]
    pause = pod["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
    [app] = manifests("azure-container-apps/containerapp.yaml")
    assert pod["terminationGracePeriodSeconds"] >= pause + GRACE
    assert app["properties"]["template"]["terminationGracePeriodSeconds"] >= GRACE


@pytest.mark.parametrize("path", sorted(FOLDER.rglob("*.y*ml")), ids=lambda path: str(path.relative_to(FOLDER)))
def test_every_variable_that_a_manifest_sets_is_one_of_ours(path: Path):
    known = {field.upper() for field in Settings.__struct_fields__}
    for document in yaml.safe_load_all(path.read_text()):
        assert set(variables(document)) <= known


def variables(document):
    if isinstance(document, list):
        for entry in document:
            yield from variables(entry)
    elif isinstance(document, dict):
        for name, entry in document.items():
            if name == "env":
                yield from (variable["name"] for variable in entry)
            elif name == "environment":
                yield from (key for key in entry if key != "write_timeout")  # OpenFaaS' own
            else:
                yield from variables(entry)
