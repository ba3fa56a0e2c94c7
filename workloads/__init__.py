"""Which programs does diagtools investigate here? Small real services; they import nothing of it but `mark`."""
