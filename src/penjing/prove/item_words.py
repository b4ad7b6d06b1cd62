"""What a certificate of limits by item says, in a sentence for a person."""

from __future__ import annotations

from penjing.core.certificate import Certificate


def by_item_in_words(certificate: Certificate, sure: str) -> str:
    """What is certified of settled items. sure: the confidence in words."""
    share, rows, most = f"{certificate.automation:.1%}", f"{certificate.rows:,}", f"{certificate.most_items:,}"
    said = (
        f"with {sure} confidence at most {_limit(certificate)}% of the items that are decided without a person are "
        f"wrong, at most {most} of a text; nothing is promised of missing ones: on {share} of {rows} calibration rows "
        "every item is decided and no person is needed"
    )
    if certificate.format < 4 or certificate.error is None or certificate.high is None:
        return said
    return (
        f"{said}, {certificate.error:.2%} of the items decided are wrong, by these rows at most {certificate.high:.2%}"
    )


def periods_by_item_in_words(certificate: Certificate, sure: str) -> str:
    """The same where rules have dates. sure: the confidence in words."""
    limit = _limit(certificate)
    return f"rules have dates: with {sure} confidence at most {limit}% of the items decided are wrong in every period"


def _limit(certificate: Certificate) -> str:
    limit = certificate.max_error
    return f"{100 * (limit if isinstance(limit, float) else max(limit.values())):.6g}"
