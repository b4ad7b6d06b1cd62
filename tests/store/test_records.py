"""Records come back as they went in, in the order of time, page by page."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from tests.recorded import write_records

from penjing.core.canon import canonical_json
from penjing.core.errors import DamageError
from penjing.store import records as module
from penjing.store.database import Store
from penjing.store.records import count_records, get_record, scan_records


def test_a_record_comes_back_as_it_went_in(store: Store, make) -> None:
    record = make("one", text="领奖 ⟦mobile⟧ \u2028 😀")
    with store.write() as connection:
        write_records(connection, [record])
    found = get_record(store, "one")
    assert found == record
    assert canonical_json(found.decided()).decode() == record.decision
    assert found.predicted().answer.probabilities == (0.125, 0.875)
    assert get_record(store, "two") is None


def test_a_prediction_keeps_how_far_its_text_is(store: Store, make) -> None:
    record, plain = make("one"), make("one").predicted()
    assert plain.far is None and "far" not in json.loads(record.prediction)
    written = canonical_json({**json.loads(record.prediction), "far": 0.61, "out_of_scope": True}).decode()
    with store.write() as connection:
        write_records(connection, [replace(record, prediction=written)])
    found = get_record(store, "one")
    assert found is not None and found.predicted() == replace(plain, far=0.61, out_of_scope=True)


@pytest.mark.parametrize("scope", [{"far": 0.6}, {"out_of_scope": True}, {"far": "0.6", "out_of_scope": True},
                                   {"far": True, "out_of_scope": True}, {"far": 0.6, "out_of_scope": 1}])  # fmt: skip
def test_a_prediction_with_half_a_scope_was_changed(scope: dict[str, object], store: Store, make) -> None:
    record = make("one")
    written = canonical_json({**json.loads(record.prediction), **scope}).decode()
    with store.write() as connection:
        write_records(connection, [replace(record, prediction=written)])
    with pytest.raises(DamageError, match="cannot be read"):
        get_record(store, "one")


def test_no_text_and_no_evidence_stay_absent(store: Store, make) -> None:
    with store.write() as connection:
        write_records(connection, [replace(make("one", text=None), evidence=None)])
    found = get_record(store, "one")
    assert found is not None
    assert (found.text, found.evidence) == (None, None)
    assert "text" not in json.loads(found.decision)


def test_scan_goes_through_all_in_order_of_time(store: Store, make, monkeypatch) -> None:
    monkeypatch.setattr(module, "_PAGE", 7)
    # Three share each moment, so that a page ends between equal times.
    made = [
        replace(make(f"id-{n:03}"), created=f"2026-01-01T00:00:{n // 3:02}.000000Z", release="ab"[n % 2] * 64)
        for n in range(40)
    ]
    with store.write() as connection:
        write_records(connection, made[20:] + made[:20])
    assert [record.id for record in scan_records(store)] == [record.id for record in made]
    assert [r.id for r in scan_records(store, release="a" * 64)] == [r.id for r in made if r.release[0] == "a"]
    late = "2026-01-01T00:00:10.000000Z"
    assert [r.id for r in scan_records(store, since=late)] == [r.id for r in made if r.created >= late]


def test_counts_by_route(store: Store, make) -> None:
    assert count_records(store) == {"automatic": 0, "review": 0}
    with store.write() as connection:
        write_records(connection, [make("a"), make("b"), make("c", route="review")])
    assert count_records(store) == {"automatic": 2, "review": 1}


def test_an_answer_of_a_kind_that_a_later_version_records_is_named_so(store: Store, make) -> None:
    later = replace(make("one"), prediction='{"artifact":"a","kind":"drawing","too_long":false}')
    with store.write() as connection:
        write_records(connection, [later])
    with pytest.raises(
        DamageError, match="the record one holds an answer that this version of penjing cannot read"
    ) as e:
        get_record(store, "one")
    assert e.value.fix == "install the version of penjing that made it, or a newer one"
