# One app, three images; each runs as an unprivileged user on a read-only root, with nothing but /tmp to write to.
#
#   docker build -t recognition .                              the Lambda functions; what `serverless deploy` builds
#   docker build -t recognition-server --target server .       gunicorn on $PORT, for any other container platform
#   docker build -t recognition-training --target training .   the offline package:
#       docker run --rm --user "$(id -u)" -v "$PWD:/work" -v recognition:/tmp recognition-training retrain photos --name flowers
#       (weights and features are kept in the volume "recognition")
#
#   --build-arg ENGINES=litert         without TensorFlow, for models that carry a compiled model: a tenth of the size
#   --build-arg MODEL=NAME[/VERSION]   bakes artifacts/NAME in: nothing is downloaded when the image starts
ARG BASE_IMAGE=public.ecr.aws/lambda/python:3.12
# Patterns of what no answer and no training needs: C++ headers, type stubs, tests, LiteRT's GPU and NPU parts, and all but four of
# botocore's 400 services.
ARG UNNEEDED="bin tensorflow/include @(h5py|numpy|scipy|sklearn)/**/tests **/*.pyi botocore/data/!(events|s3|sqs|sts)/ \
  ai_edge_litert/@(libLiteRtWebGpuAccelerator.so|vendors)"

FROM ${BASE_IMAGE} AS installer
SHELL ["/bin/bash", "-O", "extglob", "-O", "globstar", "-euc"]

# The packages go beside the code, where Lambda looks first: the base image has a boto3 that would win over site-packages.
# Bytecode is compiled here, since nobody can write it later.
FROM installer AS packages
# LiteRT's tools are for training alone, which attaches a head with them.
ARG ENGINES=all UNNEEDED
COPY requirements.txt requirements-litert.txt /tmp/
RUN --mount=type=cache,target=/root/.cache/pip \
    case "$ENGINES" in \
      all) lock=requirements.txt ;; \
      litert) lock=requirements-litert.txt ;; \
      *) echo "ENGINES=$ENGINES: it must be all or litert" >&2; exit 1 ;; \
    esac; \
    pip install --quiet --root-user-action ignore --no-compile --no-deps --only-binary :all: --require-hashes \
      --target . --requirement "/tmp/$lock"; \
    rm -rf $UNNEEDED ai_edge_litert/tools; \
    python3 -m compileall -q -j 0 --invalidation-mode unchecked-hash .

FROM ${BASE_IMAGE} AS code
COPY --from=packages ${LAMBDA_TASK_ROOT} ${LAMBDA_TASK_ROOT}
COPY LICENSE handler.py ./
COPY model model
COPY serving serving
# chmod, because a checkout under a strict umask could not be read by the user that Lambda runs as.
RUN chmod -R a+rX LICENSE handler.py model serving && \
    python3 -m compileall -q --invalidation-mode unchecked-hash handler.py model serving
ENV HOME=/tmp TF_CPP_MIN_LOG_LEVEL=2

# [s] makes it a pattern, and a pattern may match nothing; no model is named "-". Loading proves what was baked.
FROM code AS model
ARG MODEL=
COPY artifact[s]/${MODEL:--} /opt/models/${MODEL}
RUN mkdir -p /opt/models && chmod -R a+rX /opt/models && \
    if [ -n "$MODEL" ]; then python3 -c "from model.classifier import load_classifier; load_classifier('/opt/models/$MODEL')"; fi

FROM code AS app
ARG MODEL=
COPY --from=model /opt/models /opt/models
ENV MODEL_URI=${MODEL:+/opt/models/${MODEL}}

FROM installer AS training-packages
ARG UNNEEDED
COPY training/requirements.txt /tmp/
RUN --mount=type=cache,target=/root/.cache/pip \
    pip install --quiet --root-user-action ignore --no-compile --no-deps --only-binary :all: --require-hashes \
      --target . --requirement /tmp/requirements.txt; \
    rm -rf $UNNEEDED; \
    python3 -m compileall -q -j 0 --invalidation-mode unchecked-hash .

FROM ${BASE_IMAGE} AS training
COPY --from=training-packages ${LAMBDA_TASK_ROOT} ${LAMBDA_TASK_ROOT}
COPY LICENSE ./
COPY model model
COPY cluster cluster
COPY training training
RUN chmod -R a+rX LICENSE model cluster training && \
    python3 -m compileall -q --invalidation-mode unchecked-hash model cluster training
# The safe path, because a folder named model or training in the user's own directory must not stand in for ours.
ENV HOME=/tmp PYTHONPATH=${LAMBDA_TASK_ROOT} PYTHONSAFEPATH=1
WORKDIR /work
USER 993:990
ENTRYPOINT ["python3", "-m", "training"]
CMD ["--help"]

# pip passes over what lies on Python's path already, which is all of this lock but the server itself, and obstore.
FROM app AS server
RUN --mount=type=cache,target=/root/.cache/pip --mount=type=bind,source=serving/requirements.txt,target=/tmp/requirements.txt \
    PYTHONPATH=${LAMBDA_TASK_ROOT} pip install --quiet --root-user-action ignore --no-deps --only-binary :all: --require-hashes \
      --requirement /tmp/requirements.txt
ENV PORT=8080
EXPOSE 8080
HEALTHCHECK CMD ["python3", "-c", "import os, urllib.request as r; r.urlopen(f'http://127.0.0.1:{os.environ[\"PORT\"]}/health')"]
USER 993:990
ENTRYPOINT ["python3", "-m", "gunicorn", "--config", "python:serving.gunicorn_conf", "handler:app"]
CMD []

FROM app AS function
USER 993:990
CMD ["handler.http"]
