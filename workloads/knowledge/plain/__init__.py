"""Which parts of the knowledge base need nothing but the standard library? Both twins pass these on."""
