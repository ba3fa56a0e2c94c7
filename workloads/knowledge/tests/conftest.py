"""What do the tests of the knowledge base share? The fixtures; pytest finds them by their names here."""

from workloads.knowledge.tests.fixtures import config, small_config

__all__ = ["config", "small_config"]
