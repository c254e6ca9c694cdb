"""The SQL that services speak, compiled to Python functions, once for each text."""
