"""Requests to classify an image, as clients write their bodies."""

import time
import tracemalloc

from tests.support.fakes import picture

RED = picture("red")
LIMIT = 2**20


def post(client, data, content_type="image/jpeg", coding=None, address="/v1/classify"):
    headers = {} if coding is None else {"Content-Encoding": coding}
    return client.post(address, data=data, content_type=content_type, headers=headers)


def multipart(data, disposition='name="image"; filename="a.jpg"', boundary="X", more=b""):
    head = f"--{boundary}\r\nContent-Disposition: form-data; {disposition}\r\n\r\n".encode()
    return more + head + data + f"\r\n--{boundary}--\r\n".encode()


def measured(act):
    """The seconds of this thread and the bytes at their peak that it takes."""
    tracemalloc.start()
    began = time.thread_time()
    act()
    seconds, peak = time.thread_time() - began, tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return seconds, peak
