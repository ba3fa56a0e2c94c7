"""Real and mocked models in test suites: who gets which, and what the real ones cost."""
