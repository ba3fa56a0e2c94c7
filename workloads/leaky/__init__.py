"""Memory that grows with every request. Three small services that look alike from outside: one leaks, two do not."""
