"""The local stack: real servers and all services on one machine, no container engine needed."""
