"""How gunicorn serves the app in a container: one process a CPU, each with a model of its own.

    python -m gunicorn --config python:serving.gunicorn_conf handler:app

One process takes 130 MB with the compiled model, 1 GB with TensorFlow, and at most 4 × MAX_BODY_BYTES for requests that come.
"""

import os
from typing import Any

from model.machine import granted_cpus
from serving.settings import Settings

settings = Settings.from_environment(os.environ)
cpus = granted_cpus()
workers = settings.web_concurrency or cpus
# One thread scores in each, unless THREADS says otherwise: on 2 CPUs, 2 processes of 1 thread answer 75 requests a second,
# 1 process of 2 threads 55. A connection stays with the process that took it, so that callers who keep very few see less of it.
raw_env = [f"THREADS={os.environ.get('THREADS') or max(1, cpus // workers)}"]
bind = f"0.0.0.0:{settings.port}"
worker_class = "serving.http.gunicorn_worker.Worker"  # of threads; slow clients cost none
threads = 8  # requests that a process works on at a time
worker_connections = 1000  # of one process; one more ends the one that has waited for longest
forwarder_headers = ""  # no header says where the app lies: BASE_PATH does
limit_request_line = 8190  # bytes; as much as gunicorn allows
limit_request_fields = 100
limit_request_field_size = 8190  # bytes; a whole head has 64 kB at most
keepalive = 75  # s; longer than the 60 s for which load balancers keep a connection that nothing goes over
graceful_timeout = 25  # s, for what is in flight when SIGTERM comes; most platforms kill 30 s after it
timeout = 120  # s; loading TensorFlow on a fraction of a CPU must not be taken for a process that hangs
control_socket_disable = True  # nobody speaks to it, and its directory would have to be writable


def on_starting(server: Any) -> None:
    if not settings.asks_for_key:
        server.log.warning(
            "API_KEYS is not set: whoever reaches this port may call; `python -m ops.keys` makes a key, API_KEY_NEEDED=yes "
            "says that a gateway in front asks for one"
        )
