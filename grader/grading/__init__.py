"""One marking run: `GradingOptions` in, `Results` out. The command line and courses both call `run.grade`."""
