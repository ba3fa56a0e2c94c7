"""What can an assistant do with the knowledge base? Each file is a skill, and a script that is executed to load it."""
