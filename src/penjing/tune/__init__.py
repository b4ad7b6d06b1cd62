"""Methods that fit a model to labelled rows; each is `apply(inputs, options, run) -> Artifact` in a file of its own."""

METHODS = {
    "linear": "penjing.tune.linear",
    "full": "penjing.tune.full",
    "continual": "penjing.tune.continual",
    "ensemble": "penjing.tune.ensemble",
    "maml": "penjing.tune.maml",
    "lora": "penjing.tune.lora",
    "bitfit": "penjing.tune.bitfit",
    "adapter": "penjing.tune.adapter",
    "ia3": "penjing.tune.ia3",
    "adalora": "penjing.tune.adalora",
    "prompt": "penjing.tune.prompt",
    "prefix": "penjing.tune.prefix",
    "fewshot": "penjing.tune.fewshot",
    "prototype": "penjing.tune.prototype",
    "cloze": "penjing.tune.cloze",
    "selftrain": "penjing.tune.selftrain",
    "consistency": "penjing.tune.consistency",
}
