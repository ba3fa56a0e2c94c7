"""One artefact in, one typed frame out: reads what is whole and says what is not."""
