"""Methods that fit a model to labelled rows; each is `apply(inputs, options, run) -> Artifact` in a file of its own."""

METHODS = {
    "linear": "penjing.tune.linear",
    "full": "penjing.tune.full",
    "lora": "penjing.tune.lora",
}
