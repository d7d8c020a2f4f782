"""The least that naming an image by the SavedModel takes: import TensorFlow, load, call; no image is even decoded."""

import json
import os

import tensorflow as tf

model = tf.saved_model.load(os.environ["MODEL"])


def handler(event, context):
    blank = tf.zeros((1, 299, 299, 3), tf.uint8)
    best = int(model.signatures["serving_default"](image=blank)["scores"].numpy()[0].argmax())
    return {"statusCode": 200, "body": json.dumps({"labels": [{"name": str(best)}]})}
