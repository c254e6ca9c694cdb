"""What every test may use; plugins can only be named here, at the top of the tree."""

pytest_plugins = ("chassis.testing.simulation.plugin",)
