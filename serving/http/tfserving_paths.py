"""TensorFlow Serving's addresses, as OpenAPI writes them; with a version, with a label and without."""

import re

MODELS = "/v1/models/"  # what begins with it answers in TensorFlow Serving's form, errors too
STATUS = (
    f"{MODELS}{{name}}",
    f"{MODELS}{{name}}/versions/{{version}}",
    f"{MODELS}{{name}}/labels/{{label}}",
)
METADATA = tuple(f"{path}/metadata" for path in STATUS)
PREDICT = tuple(f"{path}:predict" for path in STATUS)
OTHER_VERBS = re.compile(r":(classify|regress)/?$")


def other_verb(path: str) -> str:
    """Why an address that asks for one of TensorFlow Serving's other verbs is none; empty for any other address."""
    verb = OTHER_VERBS.search(path)
    return (
        f"{verb[0]} is not offered: the signatures of this model are of the method tensorflow/serving/predict; POST to "
        f"{MODELS}NAME:predict"
        if verb and path.startswith(MODELS)
        else ""
    )
