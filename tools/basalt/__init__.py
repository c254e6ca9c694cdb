"""basalt: the operators' command. Each module here adds one subcommand (`COMMANDS`)."""
