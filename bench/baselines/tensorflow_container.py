"""The usual TensorFlow function in a Lambda container: the SavedModel is loaded with the module, TensorFlow decodes the image.

After AWS's own samples of TensorFlow on Lambda: `tf.saved_model.load` at module level, `tf.image` for the rest.
"""

import base64
import json
import os
from typing import Any

import tensorflow as tf

model = tf.saved_model.load(os.environ["MODEL"])
classify = model.signatures["serving_default"]
with open(os.environ["LABELS"]) as file:
    labels = file.read().splitlines()


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    encoded = base64.b64decode(event["body"])
    image = tf.io.decode_image(encoded, channels=3, expand_animations=False)
    image = tf.image.resize(image, (299, 299))
    scores = classify(image=tf.cast(image, tf.uint8)[tf.newaxis])["scores"].numpy()[0]
    ranked = sorted(zip(labels, scores.tolist()), key=lambda pair: -pair[1])
    body = {"labels": [{"name": name, "score": score} for name, score in ranked[:5]]}
    return {"statusCode": 200, "headers": {"Content-Type": "application/json"}, "body": json.dumps(body)}
