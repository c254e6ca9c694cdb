"""What operators see: log lines, traces and metrics, all with the same ids."""
