"""Which test a certificate is made by: limits of whole answers, of misses, of several tasks, of each label or item."""

from __future__ import annotations

from collections.abc import Sequence

from penjing.core.certificate import Certificate, Need
from penjing.core.itemwise import ItemwiseTask
from penjing.core.labelwise import LabelwiseTask
from penjing.core.task import ALL, JointTask
from penjing.decide.policy import Policy
from penjing.prove.by_item import certify_items, fix_items, items_need
from penjing.prove.by_label import certify_labels, fix_labels, labels_need, promised_labels
from penjing.prove.certify import Labelled, certify, fix_grid, needs_of
from penjing.prove.joint import certify_joint, fix_joint, joint_need
from penjing.prove.misses import Promised, certify_path, fix_path, path_need


def prove(policy: Policy, known: Labelled, tested: Labelled, promised: Promised, used: Sequence[str]) -> Certificate:
    """The certificate: by one path of vectors where several limits hold at once, else by a sequence for each limit.

    known: validation rows, which fix the thresholds; tested: calibration rows.
    """
    count, limit, reviewed = len(tested), promised.max_error, promised.reviewed
    if isinstance(policy.task, LabelwiseTask):
        promised = promised_labels(policy, known, count, promised)
        return certify_labels(policy, fix_labels(policy, known, count, promised), tested, promised, used)
    if isinstance(policy.task, ItemwiseTask):
        return certify_items(policy, fix_items(policy, known, count, promised), tested, promised, used)
    if isinstance(policy.task, JointTask):
        return certify_joint(policy, fix_joint(policy, known, count, promised), tested, promised, used)
    if promised.max_miss:
        return certify_path(policy, fix_path(policy, known, count, promised), tested, promised, used)
    grid = fix_grid(policy, known, count, limit, reviewed, promised.delta)
    return certify(policy, grid, tested, limit, reviewed=reviewed, used=used, delta=promised.delta)


def prove_again(policy: Policy, old: Certificate, labelled: Labelled, used: Sequence[str], delta: float) -> Certificate:
    """The certificate of other rows, with the limits and the order of thresholds of an earlier one."""
    if not old.path and not old.by_label and not old.most_items:
        return certify(policy, old.grid, labelled, old.max_error, reviewed=old.reviewed, used=used, delta=delta)
    promised = Promised(old.max_error, old.max_miss, old.reviewed, delta)
    if isinstance(policy.task, LabelwiseTask):
        return certify_labels(policy, old.path, labelled, promised, used)
    if isinstance(policy.task, ItemwiseTask):
        return certify_items(policy, old.path, labelled, promised, used)
    test = certify_joint if isinstance(policy.task, JointTask) else certify_path
    return test(policy, old.path, labelled, promised, used)


def more_rows(policy: Policy, certificate: Certificate, labelled: Labelled) -> dict[str, Need]:
    """What more rows would do for each limit that the certificate does not prove, from these rows."""
    if not certificate.needs:
        return {}
    delta, tested = round(1 - certificate.confidence, 6), certificate.rows
    promised = Promised(certificate.max_error, certificate.max_miss, certificate.reviewed, delta)
    if isinstance(policy.task, LabelwiseTask):
        return {ALL: labels_need(policy, certificate.path, labelled, promised, tested)}
    if isinstance(policy.task, ItemwiseTask):
        return {ALL: items_need(policy, certificate.path, labelled, promised, tested)}
    if isinstance(policy.task, JointTask):
        return {ALL: joint_need(policy, certificate.path, labelled, promised, tested)}
    if certificate.path:
        return {ALL: path_need(policy, certificate.path, labelled, promised, tested)}
    found = needs_of(
        policy, certificate.grid, labelled, certificate.max_error, certificate.reviewed, delta=delta, tested=tested
    )
    return {name: found[name] for name in certificate.needs}
