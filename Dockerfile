# The gateway in a container: not as root, on a read-only file system, with what it writes in /data.
# How to run it, and what of this page was tried where: docs/how-to/run-in-a-container.md

ARG PYTHON=3.11-slim-bookworm

FROM python:${PYTHON} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 PIP_NO_CACHE_DIR=1
WORKDIR /build

# What it runs on: exactly the pinned releases, compared with their hashes, nothing compiled.
COPY requirements-run.lock ./
RUN python -m venv /opt/arbees \
    && /opt/arbees/bin/pip install --require-hashes --only-binary :all: \
        --requirement requirements-run.lock

# What builds it stays in this stage.
COPY requirements-release.lock ./
RUN python -m venv /opt/builder \
    && /opt/builder/bin/pip install --require-hashes --only-binary :all: \
        --requirement requirements-release.lock

COPY pyproject.toml README.md LICENSE ./
COPY docs/man docs/man
COPY src src
RUN /opt/builder/bin/python -m hatchling build --target wheel --directory dist \
    && /opt/arbees/bin/pip install --no-deps --no-index dist/*.whl \
    && /opt/arbees/bin/pip uninstall --yes pip setuptools

FROM python:${PYTHON}
RUN groupadd --gid 10001 arbees \
    && useradd --uid 10001 --gid arbees --home-dir /data --no-create-home \
        --shell /usr/sbin/nologin arbees \
    && install --directory --owner arbees --group arbees --mode 0700 /data
COPY --from=build /opt/arbees /opt/arbees

ENV PATH=/opt/arbees/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    JOURNAL_PATH=/data/arbees-{mode}.db \
    PAPER_BOOK_PATH=/data/paper.db \
    AUDIT_LOG_PATH=/data/execution_audit.jsonl \
    KILL_SWITCH_FILE=/data/kill_switch
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8321
STOPSIGNAL SIGTERM

# Alive, also when halted: a halt is no fault, and a restart would not lift it.
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen('http://127.0.0.1:' + os.environ.get('HTTP_PORT', '8321') + '/healthz', timeout=4)"]

ENTRYPOINT ["arbees"]
CMD ["run"]
