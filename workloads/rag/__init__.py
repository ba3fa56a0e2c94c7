"""What does a small code-search service do at night? It indexes: walk, filter, chunk, embed, keep, relate."""
