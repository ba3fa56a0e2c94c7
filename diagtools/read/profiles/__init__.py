"""Captures and exports of allocations (and of time), each read into one ``Profile``."""
