"""The doors of a service: HTTP for callers that wait, Kafka for everybody else."""
