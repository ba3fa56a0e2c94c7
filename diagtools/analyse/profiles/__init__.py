"""Where memory went, between two captures and over time: profiles in, frames out."""
