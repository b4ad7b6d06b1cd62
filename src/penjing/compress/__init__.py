"""Methods that make a tuned artifact small or fast; each is `apply(inputs, options, run) -> Artifact` in its file."""

METHODS = {
    "cascade": "penjing.compress.cascade",
    "distill": "penjing.compress.distill",
    "embeddings": "penjing.compress.embeddings",
    "exit": "penjing.compress.exit",
    "export": "penjing.compress.export",
    "heads": "penjing.compress.heads",
    "int8": "penjing.compress.int8",
    "layers": "penjing.compress.layers",
    "magnitude": "penjing.compress.magnitude",
    "ngrams": "penjing.compress.ngrams",
    "static": "penjing.compress.static",
    "student": "penjing.compress.student",
    "tenant": "penjing.compress.tenant",
    "vocabulary": "penjing.compress.vocabulary",
    "width": "penjing.compress.width",
}
