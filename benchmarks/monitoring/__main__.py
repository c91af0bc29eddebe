"""Record a run of three minutes and draw it: `python -m benchmarks.monitoring`."""

from benchmarks.monitoring import record, render

record.main()
render.main()
