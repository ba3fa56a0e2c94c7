"""Do the skills do what they say? These tests need the knowledge base itself."""
