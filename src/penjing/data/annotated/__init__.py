"""Annotated texts: files in which pieces of a text have labels; the table of the forms, one file each."""

FORMS = {
    "brat": "penjing.data.annotated.brat",
    "conll": "penjing.data.annotated.conll",
    "doccano": "penjing.data.annotated.json_spans",
    "jsonl": "penjing.data.annotated.json_spans",
    "label_studio": "penjing.data.annotated.label_studio",
    "squad": "penjing.data.annotated.squad",
    "triples": "penjing.data.annotated.triples",
}
