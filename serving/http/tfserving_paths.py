"""TensorFlow Serving's addresses, as OpenAPI writes them; with a version and without."""

MODELS = "/v1/models/"  # what begins with it answers in TensorFlow Serving's form, errors too
STATUS = (f"{MODELS}{{name}}", f"{MODELS}{{name}}/versions/{{version}}")
METADATA = tuple(f"{path}/metadata" for path in STATUS)
PREDICT = tuple(f"{path}:predict" for path in STATUS)
