"""What a certificate of limits by label says, in a sentence for a person."""

from __future__ import annotations

from penjing.core.certificate import Certificate


def by_label_in_words(certificate: Certificate, sure: str) -> str:
    """What is certified of given labels; misses have a sentence of their own. sure: the confidence in words."""
    limit, count = certificate.max_error, len(certificate.max_miss)
    promise = f"at most {100 * limit:.6g}%" if isinstance(limit, float) else "within the limit of the label"
    share, rows = f"{certificate.automation:.1%}", f"{certificate.rows:,}"
    return (
        f"with {sure} confidence, where the model settles that a text has one of {count:,} labels, the share of wrong "
        f"ones is {promise} for each label: on {share} of {rows} calibration rows every label is settled and no person "
        "is needed"
    )


def label_misses_in_words(limits: str) -> str:
    """What is certified of true labels that are missed. limits: of each label, as written."""
    return f"of all cases of a true label, at most this share is settled as if they did not have it: {limits}"
