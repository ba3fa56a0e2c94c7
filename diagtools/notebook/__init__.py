"""What a notebook has beside the functions: magics."""
