"""What does the test suite of a code search pay for its model, loaded in one of four ways?

`pytest workloads/suite` runs the light suite: every model is mocked. It is a program under study, not part of this
project's own tests: tests/workloads/test_suite.py runs it, and notebook 03 compares its ways.
"""
