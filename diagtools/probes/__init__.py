"""Code that runs inside or beside the target: standard library only, CPython 3.9+, nothing of the rest of diagtools."""
