"""Held-out rows that give the score and the certificate: their levels, and the bounds after thresholds were chosen.

The release is frozen before the rows are opened. The score is then tested at level delta / 2 and the certificate at
delta / 2 on the same rows. Whatever the dependence between the two, both hold with probability 1 - delta or more (union
bound). Other bounds on what the chosen thresholds decide need more: the thresholds were chosen on these rows. A bound
at level delta / m holds for each of the m choices that were fixed on validation rows, so also for the one taken.
"""

from __future__ import annotations

import math

from penjing.core.certificate import Certificate
from penjing.prove.sequence import DELTA


def level_of_choice(certificate: Certificate, delta: float = DELTA) -> float:
    """delta / m, with m the number of thresholds that could have been chosen on the rows, none among them.

    Limits by label have a sequence each, and periods have thresholds each: their numbers multiply.
    """
    sequences = [certificate.path] if certificate.path else certificate.grid.values()
    choices = math.prod(len(each) + 1 for each in sequences)
    return float(delta / choices ** max(1, len(certificate.periods)))
