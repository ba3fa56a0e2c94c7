"""What does a test suite pay that needs the knowledge base's settings only?

`pytest workloads/knowledge/tests`, with KNOWLEDGE_TWIN=eager (the default) or lazy. It is a program under study,
not part of this project's own tests: tests/workloads/test_knowledge.py runs it with both twins.
"""
