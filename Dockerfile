# Operon in two stages: the first installs from the lock and builds the wheel, the second carries the result alone.
FROM python:3.11-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /src
RUN python -m venv /opt/operon
COPY requirements-runtime.lock ./
RUN /opt/operon/bin/pip install --no-deps --require-hashes -r requirements-runtime.lock
COPY pyproject.toml README.md LICENSE ./
COPY app app
COPY ingest ingest
COPY migrations migrations
COPY data data
RUN /opt/operon/bin/pip install --no-deps --no-build-isolation . \
    && /opt/operon/bin/pip uninstall --yes hatchling trove-classifiers editables pip

FROM python:3.11-slim
LABEL org.opencontainers.image.title="Operon" org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /opt/operon /opt/operon
RUN install --directory --owner=65532 --group=65532 --mode=0700 /data
# OPERON_ENV=dev: a container has to listen beyond its own loopback; publish the port on loopback or behind a gateway.
ENV PATH=/opt/operon/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    OPERON_HOME=/data \
    OPERON_ENV=dev \
    OPERON_HOST=0.0.0.0 \
    OPERON_PORT=8000
USER 65532:65532
WORKDIR /data
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f\"http://127.0.0.1:{os.environ['OPERON_PORT']}/livez\", timeout=4)"]
ENTRYPOINT ["operon"]
CMD ["serve"]
