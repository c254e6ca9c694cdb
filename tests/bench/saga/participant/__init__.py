"""A participant of the chassis's making: one aggregate, one row, one fact for each command."""
