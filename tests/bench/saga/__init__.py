"""A five-step saga over real Kafka and PostgreSQL, in processes of their own."""
