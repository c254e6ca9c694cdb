"""The contracts' generated files and the gate that keeps what was released readable.

python -m tools.contracts write      schemas, golden samples, asyncapi.yaml
python -m tools.contracts verify     are they current?
python -m tools.contracts gate       does anything released break?
python -m tools.contracts release V  from now on, version V is released
"""
