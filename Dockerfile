# docker build -t georouter .
# How to run it: docs/deploy.md, docker-compose.yml.
ARG PYTHON=3.13-slim-bookworm

FROM python:${PYTHON} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
# For the native packet path; what runs later needs no compiler.
RUN command -v gcc >/dev/null \
    || { apt-get update \
    && apt-get install -y --no-install-recommends gcc=4:12.2.* libc6-dev=2.36-* \
    && rm -rf /var/lib/apt/lists/*; }
WORKDIR /source
COPY . .
RUN python -m venv /opt/georouter \
    && /opt/georouter/bin/pip wheel --no-deps --wheel-dir /wheels . \
    && /opt/georouter/bin/pip install "$(ls /wheels/*.whl)[capacity]" \
    && /opt/georouter/bin/python -c "from georouter.server.path import available; assert available()" \
    && /opt/georouter/bin/pip uninstall --yes pip

FROM python:${PYTHON}
ARG VERSION=0.1.0
ARG REVISION=unknown
ARG CREATED=1970-01-01T00:00:00Z
LABEL org.opencontainers.image.title="georouter" \
      org.opencontainers.image.description="Authoritative GeoDNS server and global traffic router" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}"
COPY --from=build /opt/georouter /opt/georouter
COPY LICENSE NOTICE /usr/share/doc/georouter/
# The base image comes without compiled modules, and the running container cannot keep any: without
# this, a health check takes five times as long.
RUN python -m compileall -q -x '/(test|tests|site-packages|dist-packages)/' /usr/local/lib
# A new volume takes the owner and mode of this folder; nothing else is written to.
RUN install --directory --owner=5300 --group=5300 --mode=0700 /var/lib/georouter \
    && install --directory /etc/georouter
ENV PATH=/opt/georouter/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    OPENBLAS_NUM_THREADS=1 \
    GEOROUTER_CONFIG=/etc/georouter \
    GEOROUTER_STATE_DIR=/var/lib/georouter
USER 5300:5300
WORKDIR /var/lib/georouter
VOLUME /var/lib/georouter
EXPOSE 5300/udp 5300/tcp 8053/tcp
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s --retries=3 \
    CMD ["georouter", "healthcheck", "--server", "127.0.0.1:5300", "--timeout", "3s"]
ENTRYPOINT ["georouter"]
CMD ["serve"]
