# The root module: what a deployment of Basalt has to be told, and what each service reads of it.
# The cloud's resources (managed PostgreSQL, Kafka, MongoDB, Redis, the cluster) come beside it.

terraform {
  required_version = ">= 1.6"
}

locals {
  ports = { http = 8000 }

  # The servers that each service uses; the same as infra/local/stack.py (tests/infra compares).
  services = {
    identity     = { servers = ["postgres", "kafka", "redis"], calls = [], blobs = false }
    studio       = { servers = ["postgres", "kafka", "mongo"], calls = [], blobs = true }
    billing      = { servers = ["postgres", "kafka", "payments"], calls = [], blobs = false }
    delivery     = { servers = ["postgres", "kafka", "redis"], calls = [], blobs = true }
    activity     = { servers = ["postgres", "kafka", "mongo"], calls = [], blobs = false }
    orchestrator = { servers = ["postgres", "kafka"], calls = [], blobs = false }
    gateway = {
      servers = ["kafka", "redis"]
      calls   = ["identity", "studio", "billing", "delivery", "activity", "orchestrator"]
      blobs   = true
    }
  }

  common = {
    CONTEXT_KEY   = var.context_key
    ENVIRONMENT   = var.environment
    LOG_LEVEL     = var.log_level
    OTLP_ENDPOINT = var.otlp_endpoint
    HTTP_HOST     = "0.0.0.0"
    HTTP_PORT     = tostring(local.ports.http)
  }

  # Everything that a service reads from its environment, by service.
  environment = {
    for name, service in local.services : name => merge(
      local.common,
      contains(service.servers, "postgres") ? {
        POSTGRES_URL = format(
          "postgresql://%s%s:%s@%s/%s%s", var.database_prefix, name, var.database_password,
          var.postgres_address, var.database_prefix, name
        )
        POSTGRES_CONNECTIONS_MAX = tostring(var.postgres_connections_max)
      } : {},
      contains(service.servers, "kafka") ? { KAFKA_BOOTSTRAP = var.kafka_bootstrap } : {},
      contains(service.servers, "mongo") ? { MONGO_URL = var.mongo_url } : {},
      contains(service.servers, "redis") ? { REDIS_URL = var.redis_url } : {},
      contains(service.servers, "payments") ? { PAYMENTS_URL = var.payments_url } : {},
      service.blobs ? { BLOB_DIR = var.blob_dir } : {},
      { for call in service.calls : "${upper(call)}_URL" => "http://${call}:${local.ports.http}" },
    )
  }
}
