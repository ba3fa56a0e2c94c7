"""Charts, tables, text, the notebook renderer and the offline exporter."""
