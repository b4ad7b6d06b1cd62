"""Methods that fit a model to labelled rows; each is `apply(inputs, options, run) -> Artifact` in a file of its own."""

METHODS = {"linear": "penjing.tune.linear", "continual": "penjing.tune.continual", "full": "penjing.tune.full"}
