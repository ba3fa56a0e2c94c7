"""In how many ways can one model be loaded?  A module a way: importing it brings its libraries, ``load()`` the model.

Every way checks the hash of what it reads, as a service should, and gives an object with ``embed(texts)``.
"""

import os

# Threads of a BLAS that wait for each other on a busy machine made the first inference of numpy many times as long; and
# a fork takes no threads along.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")
