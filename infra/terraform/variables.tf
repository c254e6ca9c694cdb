variable "environment" {
  description = "What the deployment is for; development shows GraphiQL."
  type        = string
  default     = "production"

  validation {
    condition     = contains(["development", "test", "staging", "production"], var.environment)
    error_message = "environment is development, test, staging or production."
  }
}

variable "context_key" {
  description = "Signs the context between gateway and services; at least 16 characters."
  type        = string
  sensitive   = true

  validation {
    condition     = length(var.context_key) >= 16
    error_message = "context_key needs at least 16 characters."
  }
}

variable "postgres_address" {
  description = "host:port of PostgreSQL 18."
  type        = string
}

variable "database_prefix" {
  description = "Before each service's database and role."
  type        = string
  default     = "basalt_"
}

variable "database_password" {
  description = "Of the services' database roles."
  type        = string
  sensitive   = true
}

variable "postgres_connections_max" {
  description = "Pool of each replica of a service."
  type        = number
  default     = 8
}

variable "kafka_bootstrap" {
  description = "host:port of Kafka's brokers, comma-separated."
  type        = string
}

variable "mongo_url" {
  description = "URL of MongoDB 8, with credentials."
  type        = string
  sensitive   = true
}

variable "redis_url" {
  description = "URL of Redis or Valkey, with credentials."
  type        = string
  sensitive   = true
}

variable "payments_url" {
  description = "URL of the payment provider (or of the adapter in front of it)."
  type        = string
}

variable "blob_dir" {
  description = "A folder that studio, delivery and gateway share."
  type        = string
  default     = "/var/lib/basalt/blobs"
}

variable "log_level" {
  description = "debug, info, warning or error."
  type        = string
  default     = "info"
}

variable "otlp_endpoint" {
  description = "Where traces go, e.g. http://collector:4318; empty exports nothing."
  type        = string
  default     = ""
}
