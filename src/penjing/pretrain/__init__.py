"""Objectives of pre-training; each is `apply(inputs, options, run) -> Artifact` in a file of its own."""

METHODS = {
    "adapt": "penjing.pretrain.adapt",
    "clm": "penjing.pretrain.clm",
    "contrastive": "penjing.pretrain.contrastive",
    "denoise": "penjing.pretrain.denoise",
    "distil": "penjing.pretrain.distil",
    "mlm": "penjing.pretrain.mlm",
    "nsp": "penjing.pretrain.nsp",
    "rtd": "penjing.pretrain.rtd",
    "sop": "penjing.pretrain.sop",
}
