"""Methods that fit a model to labelled rows; each is `apply(inputs, options, run) -> Artifact` in a file of its own."""

METHODS = {
    "linear": "penjing.tune.linear",
    "full": "penjing.tune.full",
    "fewshot": "penjing.tune.fewshot",
    "prototype": "penjing.tune.prototype",
    "cloze": "penjing.tune.cloze",
    "selftrain": "penjing.tune.selftrain",
    "consistency": "penjing.tune.consistency",
}
