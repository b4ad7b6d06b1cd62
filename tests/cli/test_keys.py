"""`penjing keys`: shown once, listed without secrets, revoked for good."""

from __future__ import annotations

from pathlib import Path


def test_made_listed_and_revoked(penjing) -> None:
    made = penjing("keys", "create", "--name", "desk", "--scope", "read")
    assert made.code == 0, made.err
    assert "not shown again" in made.err
    key = made.lines[0]
    assert (key["name"], key["scopes"], key["key"][:3]) == ("desk", ["read"], "pj_")
    listed = penjing("keys", "list")
    assert key["key"] not in listed.out
    assert [(line["id"], line["revoked"]) for line in listed.lines] == [(key["id"], None)]
    assert penjing("keys", "revoke", key["id"]).lines == [{"revoked": key["id"], "name": "desk"}]
    assert penjing("keys", "list").lines[0]["revoked"] is not None
    again = penjing("keys", "revoke", key["id"])
    assert again.code == 2
    assert "was revoked before" in again.err


def test_a_wrong_scope_is_refused(penjing) -> None:
    ran = penjing("keys", "create", "--name", "x", "--scope", "admin")
    assert ran.code == 2
    assert "unknown scope `admin`" in ran.err
    assert "scopes are decide, read" in ran.err


def test_listing_makes_no_database(penjing, tmp_path: Path) -> None:
    ran = penjing("keys", "list")
    assert ran.code == 2
    assert "no such database" in ran.err
    assert not (tmp_path / "penjing.db").exists()
