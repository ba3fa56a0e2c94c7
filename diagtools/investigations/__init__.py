"""One file per question: joins capture, run, analyse and present."""
