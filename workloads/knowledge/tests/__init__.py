"""What does a test suite pay whose light tests need the settings of the knowledge base, and whose others its skills?

`pytest workloads/knowledge/tests`. It is a program under study, not part of this project's own tests:
tests/workloads/test_knowledge_suite.py runs it. What is studied is switched from outside, each alone or together:

- KNOWLEDGE_TWIN: `eager` (the default) or `lazy`, the knowledge base that all of it uses.
- KNOWLEDGE_FIXTURES: `full` (the default) take the settings from the twin, `thin` from `plain`, without the package.
- KNOWLEDGE_MOCKS: `on` (the default) puts fakes in the places of store and model for the session, `off` does not.

The tests of `skills` load the scripts; those beside it need none of them: `--ignore workloads/knowledge/tests/skills`
is the light part. Three tests of the search keep memory, because the skill keeps an index of each collection.
"""
