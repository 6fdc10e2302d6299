#!/bin/sh
# Checks who includes whom in src/, and which functions may be used where. See tests/layers.py.
exec python3 "$(dirname "$0")/layers.py" "$@"
