"""A Keras model behind Flask, as tutorials teach it: load_model at the top, Pillow for the image, `model.predict` a request."""

import os
from io import BytesIO

import numpy as np
import serverless_wsgi
from flask import Flask, jsonify, request
from keras.models import load_model
from PIL import Image

app = Flask(__name__)
model = load_model(os.environ["MODEL"], compile=False)
with open(os.environ["LABELS"]) as file:
    labels = file.read().splitlines()


@app.post("/v1/classify")
def classify():
    image = Image.open(BytesIO(request.get_data())).convert("RGB").resize((299, 299))
    scores = model.predict(np.expand_dims(np.array(image), 0), verbose=0)[0]
    best = np.argsort(-scores)[:5]
    return jsonify(labels=[{"name": labels[i], "score": float(scores[i])} for i in best])


def handler(event, context):
    return serverless_wsgi.handle_request(app, event, context)
