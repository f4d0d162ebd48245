"""What participants agreed to: read from econsent and cases, summed up, and cases that wait when it changes."""

from __future__ import annotations

from typing import Any

import pytest

from app.errors import InvalidInput
from app.store import cip_cases, cip_consents, cip_referrals, counters
from app.store.cip_consents import Colour, Kind
from app.store.session import Database
from tests.cip_details import consent, detail, member, put, referral, settle, states, with_members
from tests.store_dump import dump


def answers(database: Database, kind: Kind, referral_id: str = "r7") -> dict[str, str]:
    with database.read() as session:
        return {one.participant: one.answers[kind] for one in cip_consents.of_referral(session, referral_id)}


def colour(database: Database, number: str = "7-1") -> Colour:
    ir_id, version = map(int, number.split("-"))
    with database.read() as session:
        case = cip_cases.find(session, ir_id, version)
        assert case is not None
        return cip_consents.colours(session, [case.row])[case.row]


def put_referral(database: Database, *items: dict[str, Any], **changes: Any) -> bool:
    with database.write() as session:
        return cip_referrals.put(session, referral(*items, **changes))


def allows(database: Database, subject: str, kind: Kind) -> bool:
    with database.read() as session:
        return cip_consents.allows(session, subject, kind)


def data_version(database: Database) -> int:
    with database.read() as session:
        return counters.value(session, counters.DATA_VERSION)


@pytest.mark.parametrize(
    ("child", "mother", "expected"),
    [
        ("yes", "yes", Colour.GREEN),
        ("yes", "undefined", Colour.AMBER),
        ("undefined", "no", Colour.RED),
        ("yes", "no", Colour.RED),
    ],
)
def test_the_colour_of_a_case_is_that_of_its_referral(
    database: Database, child: str, mother: str, expected: Colour
) -> None:
    put(database, detail(referral=referral(consent("child", child), consent("mother", mother))))

    assert colour(database) is expected
    with database.read() as session:
        assert cip_consents.overall(session, "r7") is expected


def test_a_case_of_which_nobody_says_anything_is_amber(database: Database) -> None:
    put(database, detail())

    assert colour(database) is Colour.AMBER
    assert answers(database, Kind.PRIMARY_TESTING) == {"child": "undefined", "mother": "undefined"}


def test_somebody_who_did_not_answer_makes_a_case_amber(database: Database) -> None:
    put(database, detail(referral=referral(consent("child"))))

    assert colour(database) is Colour.AMBER


def test_what_the_pedigree_says_counts_beside_econsent_and_a_no_wins(database: Database) -> None:
    family = (
        member("child", is_proband=True, primaryFindingConsent="yes", researchConsent="yes"),
        member("mother", primaryFindingConsent="no", pharmacogenomicsFindingConsent="yes"),
    )
    items = (consent("child", researchFindingConsent="undefined"), consent("mother", researchFindingConsent="no"))
    put(database, with_members(detail(referral=referral(*items)), *family))

    assert answers(database, Kind.PRIMARY_TESTING) == {"child": "yes", "mother": "no"}
    assert answers(database, Kind.RESEARCH) == {"child": "yes", "mother": "no"}
    assert answers(database, Kind.PHARMACOGENOMICS) == {"child": "undefined", "mother": "yes"}
    assert colour(database) is Colour.RED


def test_a_newer_version_of_a_case_says_what_counts(database: Database) -> None:
    def version(number: str, said: str) -> dict[str, Any]:
        family = (member("child", primaryFindingConsent=said), member("mother", primaryFindingConsent="yes"))
        return with_members(detail(number), *family)

    put(database, version("7-1", "no"))
    assert colour(database) is Colour.RED
    put(database, version("7-2", "yes"))
    assert colour(database, "7-2") is Colour.GREEN
    put(database, version("7-1", "undefined"))
    assert colour(database, "7-2") is Colour.GREEN


def test_a_changed_consent_lets_the_cases_wait_and_gives_the_data_another_version(database: Database) -> None:
    case, _ = put(database, detail(referral=referral(consent("child"), consent("mother"))))
    other, _ = put(database, with_members(detail("8-1"), member("tom")))
    settle(database, case, other)
    before = data_version(database)

    assert put_referral(
        database, consent("child"), consent("mother", "no", last_modified="2022-06-01"), last_modified="2022-06-01"
    )

    assert states(database) == {"7-1": "waiting", "8-1": "stored"}
    assert colour(database) is Colour.RED
    assert data_version(database) > before


def test_a_no_of_somebody_outside_the_pedigree_makes_the_case_red_and_wait(database: Database) -> None:
    case, _ = put(database, detail(referral=referral(consent("child"), consent("mother"))))
    settle(database, case)

    put_referral(database, consent("child"), consent("mother"), consent("aunt", "no"), last_modified="2022-06-01")

    assert (colour(database), states(database)) == (Colour.RED, {"7-1": "waiting"})


def test_the_same_consents_again_change_nothing(database: Database) -> None:
    case, _ = put(database, detail(referral=referral(consent("child"), consent("mother"))))
    settle(database, case)
    before = dump(database)

    assert not put_referral(database, consent("child"), consent("mother"))
    with database.write() as session:
        cip_referrals.put_econsent(session, {"econsent": [consent("child")]}, "uid-r7")

    assert dump(database) == before


def test_an_older_statement_does_not_undo_a_newer_one(database: Database) -> None:
    put_referral(database, consent("child", "no", last_modified="2022-06-01T00:00:00.000000Z"))
    with database.write() as session:
        cip_referrals.put_econsent(session, {"econsent": [consent("child", "yes")]}, "r7")
    assert answers(database, Kind.PRIMARY_TESTING) == {"child": "no"}

    with database.write() as session:
        newer = consent("child", "yes", last_modified="2022-07-01T00:00:00.000000Z")
        cip_referrals.put_econsent(session, {"econsent": [newer]}, "r7")
    assert answers(database, Kind.PRIMARY_TESTING) == {"child": "yes"}


def test_participants_may_be_called_by_their_other_identifier(database: Database) -> None:
    put_referral(database, consent("uid-child", "no"), consent("uid-mother"))
    assert answers(database, Kind.PRIMARY_TESTING) == {"uid-child": "no", "uid-mother": "yes"}

    put(database, detail())

    assert answers(database, Kind.PRIMARY_TESTING) == {"child": "no", "mother": "yes"}
    put_referral(database, consent("uid-child"), consent("uid-mother"), last_modified="2023-01-01")
    assert answers(database, Kind.PRIMARY_TESTING) == {"child": "yes", "mother": "yes"}


def test_a_referral_with_another_name_than_the_family_counts_for_the_cases_of_its_tests(database: Database) -> None:
    case, _ = put(database, detail(family_id="family 7"))
    settle(database, case)

    put_referral(database, consent("child", "no"))

    assert (colour(database), states(database)) == (Colour.RED, {"7-1": "waiting"})


def test_what_a_case_said_before_its_referral_was_known_is_no_second_answer(database: Database) -> None:
    """A family's "nobody said" beside a referral's yes would take who agreed out of every count."""
    agreed = consent("child", researchFindingConsent="yes")
    put(database, detail(family_id="family 7"))
    put(database, detail("7-2", family_id="family 7"))

    put_referral(database, agreed, consent("mother"))

    assert allows(database, "child", Kind.RESEARCH)
    assert answers(database, Kind.PRIMARY_TESTING, "family 7") == {}
    assert colour(database, "7-2") is Colour.GREEN
    put(database, detail("7-3", family_id="family 7"))
    assert colour(database, "7-3") is Colour.GREEN


def test_an_overall_red_that_nobody_explains_counts(database: Database) -> None:
    case, _ = put(database, detail(referral=referral(consent("child"), consent("mother"))))
    settle(database, case)

    said = {"participant_consent": [consent("child"), consent("mother")], "overall_econsent": "red"}
    put_referral(database, econsent=said, last_modified="2022-06-01")
    assert (colour(database), states(database)) == (Colour.RED, {"7-1": "waiting"})

    put_referral(database, consent("child"), consent("mother"), last_modified="2022-07-01")
    assert colour(database) is Colour.GREEN


def test_consents_of_a_referral_that_is_not_known_are_kept(database: Database) -> None:
    with database.write() as session:
        assert cip_referrals.put_econsent(session, {"econsent": [consent("child", "no")]}) == "uid-r7"
        assert cip_referrals.put_econsent(session, {"econsent": [consent("child", "no")]}, "r7") == "r7"
        with pytest.raises(InvalidInput):
            cip_referrals.put_econsent(session, {"econsent": []})
    put(database, detail())

    assert colour(database) is Colour.RED
    with database.read() as session:
        shown = cip_referrals.econsent_of(session, "r7")
        assert shown is not None
        assert [(one["participant_id"], one["primaryGenomicTestingConsent"]) for one in shown] == [
            ("child", "no"), ("mother", "undefined"),
        ]  # fmt: skip
        assert cip_referrals.econsent_of(session, "nobody") is None


def test_consents_that_came_before_their_referral_count_for_it(database: Database) -> None:
    put(database, detail())
    with database.write() as session:
        cip_referrals.put_econsent(session, {"econsent": [consent("child", "no")]})
    assert colour(database) is Colour.AMBER

    put_referral(database, consent("mother"))

    assert answers(database, Kind.PRIMARY_TESTING) == {"child": "no", "mother": "yes"}
    assert answers(database, Kind.PRIMARY_TESTING, "uid-r7") == {}
    assert colour(database) is Colour.RED


def test_only_who_is_in_a_case_is_asked_for_consent(database: Database) -> None:
    items = (
        consent("child", researchFindingConsent="yes", pharmocogenomicsFindingConsent="no"),
        consent("mother", researchFindingConsent="undefined"),
    )
    put(database, detail(referral=referral(*items)))

    assert [allows(database, who, Kind.RESEARCH) for who in ("child", "mother", "stranger")] == [True, False, True]
    assert [allows(database, who, Kind.PHARMACOGENOMICS) for who in ("child", "stranger")] == [False, True]
    assert [allows(database, who, Kind.PRIMARY_TESTING) for who in ("child", "mother", "stranger")] == [True] * 3


def test_one_referral_without_consent_to_research_is_enough(database: Database) -> None:
    agreed = consent("child", researchFindingConsent="yes")
    put(database, detail(referral=referral(agreed)))
    assert allows(database, "child", Kind.RESEARCH)

    put(database, with_members(detail("8-1"), member("child", researchConsent="no")))

    assert not allows(database, "child", Kind.RESEARCH)


def test_the_colours_of_many_cases_come_at_once(database: Database) -> None:
    put(database, detail("7-1", referral=referral(consent("child"), consent("mother"))))
    put(database, with_members(detail("8-1"), member("tom", primaryFindingConsent="no")))
    with database.read() as session:
        rows = {case.row: case.name for case in cip_cases.waiting(session)}
        found = cip_consents.colours(session, list(rows))
        row = next(iter(rows))
        assert [one.participant for one in cip_consents.of_case(session, row)] == ["child", "mother"]
    assert {rows[row]: colour for row, colour in found.items()} == {"7-1": Colour.GREEN, "8-1": Colour.RED}
