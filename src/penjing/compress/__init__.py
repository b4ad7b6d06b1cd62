"""Methods that make a tuned artifact small or fast; each is `apply(inputs, options, run) -> Artifact` in its file."""

METHODS = {"export": "penjing.compress.export", "int8": "penjing.compress.int8"}
