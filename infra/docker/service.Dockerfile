# One image for each service: docker build -f infra/docker/service.Dockerfile --build-arg SERVICE=hazard .
# SERVICE is a folder of services/, or `jobs`: what prepares databases and topics.
ARG PYTHON=python:3.11.14-slim-bookworm

FROM ${PYTHON} AS build
WORKDIR /build
COPY pyproject.toml requirements.lock ./
# uv itself comes from the lock too, by its hash
RUN awk '/^uv==/ {own = 1; print; next} /^[^ ]/ {own = 0} own' requirements.lock > uv.txt \
 && python -m pip install --no-cache-dir --require-hashes --no-deps -r uv.txt

FROM build AS wire
RUN python -m venv /tools \
 && uv pip install --python /tools/bin/python --no-cache --group wire -c requirements.lock --require-hashes
COPY proto proto
RUN mkdir /wire \
 && find proto -name '*.proto' -exec /tools/bin/python -m grpc_tools.protoc \
      -Iproto --python_out=/wire --grpc_python_out=/wire {} +

FROM build AS environment
ARG SERVICE
RUN test -n "${SERVICE}" \
 && python -m venv --without-pip /venv \
 && uv pip install --python /venv/bin/python --no-cache --compile-bytecode \
      --group "${SERVICE}" -c requirements.lock --require-hashes

FROM build AS code
ARG SERVICE
COPY libs /all/libs
COPY infra /all/infra
COPY services /all/services
COPY infra/docker/gather.sh .
RUN sh gather.sh "${SERVICE}" /all /app && python -m compileall -q /app

FROM ${PYTHON}
ARG SERVICE
RUN useradd --system --uid 10001 --no-create-home spacecom \
 && install -d -o spacecom -g spacecom /var/lib/spacecom /var/lib/spacecom/blobs /var/cache/spacecom
COPY --from=environment /venv /venv
COPY --from=wire /wire /wire
COPY --from=code /app /app
ENV PATH=/venv/bin:$PATH PYTHONPATH=/app:/wire PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    XDG_CACHE_HOME=/var/cache SPACECOM_SERVICE=${SERVICE}
WORKDIR /app
USER spacecom
# Kernels are compiled for the CPU they run on, into /var/cache/spacecom: keep it in a volume.
STOPSIGNAL SIGTERM
CMD ["sh", "-c", "exec python -m services.${SPACECOM_SERVICE}"]
