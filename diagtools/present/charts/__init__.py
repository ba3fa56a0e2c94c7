"""One function a chart: frame → Altair chart.  None of them writes a file or asks the clock."""
