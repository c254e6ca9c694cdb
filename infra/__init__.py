"""What Basalt runs on: the local stack, containers, Terraform."""
