"""Runs a command with probes and leaves a run folder; needs neither polars nor a target of any kind later."""
