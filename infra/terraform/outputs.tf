output "environment" {
  description = "What each service reads from its environment, by service."
  value       = local.environment
  sensitive   = true
}

output "services" {
  description = "The services, with the servers and services that each needs."
  value       = local.services
}
