"""The programs that are recorded: standard library only, each runs as a process of its own."""
