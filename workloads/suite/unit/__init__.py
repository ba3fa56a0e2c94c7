"""Which parts of the code search need no model?"""
