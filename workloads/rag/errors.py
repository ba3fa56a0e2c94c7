"""What can go wrong that the user can mend?

RagError
├── ConfigError   the options contradict each other or name nothing
├── CorpusError   the folder or manifest cannot be indexed as asked
├── ModelError    the embedding model is absent, damaged or cannot be prepared
└── FileError     one file cannot be indexed; the run goes on without it
"""


class RagError(Exception):
    """What happened, why, and what can be done about it?"""

    def __init__(self, fact: str, *, hint: str = "") -> None:
        super().__init__(f"{fact} Hint: {hint}" if hint else fact)


class ConfigError(RagError):
    """Which option is wrong?"""


class CorpusError(RagError):
    """Why is there nothing to index?"""


class ModelError(RagError):
    """Why is there no model?"""


class FileError(RagError):
    """Why was this one file left out?"""
