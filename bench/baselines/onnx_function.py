"""The same weights in ONNX Runtime, as one writes a function with it: the session with the module, Pillow for the image."""

import base64
import json
import os
from io import BytesIO
from typing import Any

import numpy as np
import onnxruntime
from PIL import Image

session = onnxruntime.InferenceSession(os.environ["MODEL"], providers=["CPUExecutionProvider"])
image_input = session.get_inputs()[0].name
with open(os.environ["LABELS"]) as file:
    labels = file.read().splitlines()


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    image = Image.open(BytesIO(base64.b64decode(event["body"]))).convert("RGB").resize((299, 299))
    scores = session.run(None, {image_input: np.expand_dims(np.array(image), 0)})[0][0]
    best = np.argsort(-scores)[:5]
    body = {"labels": [{"name": labels[i], "score": float(scores[i])} for i in best]}
    return {"statusCode": 200, "headers": {"Content-Type": "application/json"}, "body": json.dumps(body)}
