"""Frames in, frames and findings out: pure, without files, clock or process."""
