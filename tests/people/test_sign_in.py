"""Signing in: whose home it is, what a password has to be, how long a wrong one waits, and what ends it."""

from datetime import timedelta

import pytest

from data.acting import Actor
from data.clock import ManualClock
from data.errors import BadInput
from data.repositories.people import Try
from data.secrets import PASSPHRASE_FILE
from data.sign_in.passwords import LONGEST, RFC_9106, Cost, checked, is_right, set_cost
from data.vocabulary import Right, Role, SizingKind, Via
from engine.people.signer import FREE_TRIES, LONGEST_WAIT_S, SIGN_IN_LIFE, TOKEN_LIFE, wait_s
from engine.refusals import NobodySignedIn, NoLongerStands, SignInRefused
from tests.desks import START, buy, paper_desk, until
from tests.further import case
from tests.people.home_of_many import HERE, desk_of_many, password, refusals, seated, sit
from tradedesk.testing import seam

QTY = SizingKind.FIXED_QUANTITY


async def test_a_home_without_people_asks_nobody_and_is_its_traders(tmp_path):
    async with paper_desk(tmp_path) as desk:
        assert not desk.who.asked
        assert desk.actor == "tester"
        plan = await desk.plans.freeze(buy("INFY", QTY, 1, 1))
        await desk.runs.start(plan, plan.digest)
        assert len(desk.clients.all()) == 50


async def test_the_first_person_is_an_admin_and_from_then_on_nobody_acts_unasked(tmp_path):
    async with paper_desk(tmp_path) as desk:
        with pytest.raises(BadInput, match="the first person is the admin"):
            await desk.people.add("ravi", Role.TRADER, password("ravi"))
        added = await desk.people.add("asha", Role.ADMIN, password("asha"))
        assert len(added.recovery) == 24
        with pytest.raises(NobodySignedIn):
            desk.clients.all()
        with pytest.raises(NobodySignedIn):
            await desk.plans.freeze(buy("INFY", QTY, 1, 1))
        await sit(desk, "asha")
        assert desk.actor == "asha"
        told = await refusals(desk)
        assert [(one["actor"], one["what"]) for one in told] == [
            ("nobody signed in", "clients.all"),
            ("nobody signed in", "plans.freeze"),
        ]


async def test_nobody_is_added_first_where_the_vault_does_not_open(tmp_path, monkeypatch):
    """A home that has people lets nobody in without its signing key, and the recovery code is told once."""
    async with paper_desk(tmp_path) as desk:
        monkeypatch.delenv(PASSPHRASE_FILE)
        with pytest.raises(BadInput, match="passphrase"):
            await desk.people.add("asha", Role.ADMIN, password("asha"))
        assert not desk.who.asked
        assert len(desk.clients.all()) == 50


async def test_the_first_person_begins_with_the_lists_that_the_home_had(tmp_path):
    async with paper_desk(tmp_path) as desk:
        lists = desk.watchlists
        await lists.make("Banks")
        await lists.add("NSE:HDFCBANK", "Banks")
        names, keys = list(lists.names()), list(lists.keys("Banks"))
        await desk.people.add("asha", Role.ADMIN, password("asha"))
        await desk.settle()
        await sit(desk, "asha")
        await until(desk, lambda: "Banks" in lists.names())
        assert (list(lists.names()), list(lists.keys("Banks"))) == (names, keys)
        await desk.people.add("ravi", Role.TRADER, password("ravi"))
        await sit(desk, "ravi")
        assert "Banks" not in lists.names(), "whoever comes later makes lists of their own"


async def test_who_is_signed_in_stands_in_the_audit_with_the_way_they_came(tmp_path):
    async with desk_of_many(tmp_path) as desk:
        await sit(desk, "tara")
        plan = await desk.plans.freeze(buy("INFY", QTY, 1, 1))
        await desk.runs.start(plan, plan.digest)
        await desk.settle()
        rows = {row.action: (row.actor, row.via) for row in await desk.audit.rows(30)}
        assert rows["PLAN_FROZEN"] == rows["RUN_STARTED"] == ("tara", "api")
        assert rows["ORDER_SENDING"] == ("tester", ""), "the desk sends by itself"


NO_PASSWORDS = [
    ("", "at least 12"),
    ("short", "at least 12"),
    ("aaaaaaaaaaaaaaa", "three different"),
    ("x" * 1_000_000, f"at most {LONGEST}"),
    ("two lines\nof a password", "one line"),
    ("a \x00 in a password", "one line"),
]


async def test_a_password_that_is_none_is_refused_and_never_echoed(tmp_path):
    async with paper_desk(tmp_path) as desk:
        for given, expected in NO_PASSWORDS:
            with case(given, expected):
                with pytest.raises(BadInput, match=expected) as refused:
                    await desk.people.add("asha", Role.ADMIN, given)
                assert refused.value.value == "(hidden)"
                assert desk.people.all() == []


async def test_a_megabyte_for_a_password_is_refused_before_it_is_hashed(tmp_path):
    async with desk_of_many(tmp_path) as desk:
        commits = desk.commits
        with pytest.raises(BadInput, match="at most"):
            await desk.signing.sign_in("asha", "x" * 1_000_000, HERE, Via.API)
        assert desk.commits == commits


NO_NAMES = ["", "1st", "[bold]asha[/]", "a'; DROP TABLE person;--", "x" * 41, "a\nb", "<b>"]


async def test_a_name_that_is_markup_or_sql_is_refused(tmp_path):
    async with paper_desk(tmp_path) as desk:
        for name in NO_NAMES:
            with case(name):
                with pytest.raises(BadInput, match="begin with a letter"):
                    await desk.people.add(name, Role.ADMIN, password("asha"))
                assert not desk.who.asked


def test_hashes_cost_what_rfc_9106_recommends_where_memory_is_dear():
    from argon2.profiles import RFC_9106_LOW_MEMORY as RECOMMENDED

    told = Cost(RECOMMENDED.time_cost, RECOMMENDED.memory_cost, RECOMMENDED.parallelism)
    assert told == RFC_9106
    cheap = Cost(1, 8, 1)
    try:
        set_cost(RFC_9106)
        from data.sign_in.passwords import hashed, wants_rehash

        made = hashed(checked("a password of asha"))
        assert made.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
        assert is_right(made, "a password of asha")
        assert not is_right(made, "another password..")
        assert not is_right("", "a password of asha")
        set_cost(cheap)
        assert wants_rehash(made)
    finally:
        set_cost(cheap)


async def test_a_wrong_name_and_a_wrong_password_are_refused_alike_and_told(tmp_path):
    async with desk_of_many(tmp_path) as desk:
        for name in ("asha", "nobody of this name"):
            with pytest.raises(SignInRefused) as refused:
                await desk.signing.sign_in(name, "a wrong password", HERE, Via.API)
            assert refused.value.wait_s == 0
        rows = await desk.audit.rows(10, action="SIGN_IN_REFUSED")
        assert sorted(row.actor for row in rows) == ["asha", "nobody signed in"], "a name may be a password"


def tries(place: str, wrong: int, then_right: bool = False) -> list[Try]:
    made = [Try(one, "asha", place, False, START) for one in range(wrong)]
    return [*made, Try(wrong, "asha", place, True, START)] if then_right else made


def test_wrong_passwords_have_the_next_wait_ever_longer_but_never_for_good():
    waits = [wait_s(tries("pts/9", count), lambda place: False, "pts/9", START) for count in range(25)]
    assert waits[:FREE_TRIES] == [0] * FREE_TRIES
    assert waits[FREE_TRIES : FREE_TRIES + 4] == [1, 2, 4, 8]
    assert max(waits) == LONGEST_WAIT_S
    later = START + timedelta(seconds=LONGEST_WAIT_S)
    assert wait_s(tries("pts/9", 24), lambda place: False, "pts/9", later) == 0
    assert wait_s(tries("pts/9", 24, then_right=True), lambda place: False, "pts/9", START) == 0


def test_a_stranger_shuts_nobody_out_of_where_they_have_signed_in_before():
    def known(place: str) -> bool:
        return place == HERE

    guessed = [one for place in ("pts/1", "pts/2", "ssh 6.6.6.6") for one in tries(place, 4)]
    assert wait_s(guessed, known, HERE, START) == 0
    assert wait_s(guessed, known, "pts/3", START) > 0, "guesses from many places wait as those from one"


async def test_a_stranger_who_guesses_shuts_the_trader_out_of_neither_terminal_nor_lock(tmp_path):
    async with desk_of_many(tmp_path) as desk:
        await sit(desk, "tara")
        for guess in range(FREE_TRIES):
            with pytest.raises(SignInRefused):
                await desk.signing.sign_in("tara", f"a wrong guess {guess}", "ssh 6.6.6.6", Via.API)
        with pytest.raises(SignInRefused) as refused:
            await desk.signing.sign_in("tara", password("tara"), "ssh 6.6.6.6", Via.API)
        assert refused.value.wait_s == 1, "the right one waits there too: it may have been guessed"
        await desk.signing.sign_in("tara", password("tara"), HERE, Via.API)
        assert await desk.signing.is_password_of(desk.who.actor, password("tara"), "pts/4")


async def test_a_token_is_short_lived_and_renewed_while_the_sign_in_stands(tmp_path):
    clock = ManualClock(START)
    async with desk_of_many(tmp_path, clock) as desk:
        made = await desk.signing.sign_in("tara", password("tara"), HERE, Via.API)
        assert not desk.signing.is_half_over(made.token)
        clock.shift(TOKEN_LIFE.total_seconds() / 2)
        assert desk.signing.is_half_over(made.token)
        renewed = await desk.signing.renewed(made.refresh)
        clock.shift(TOKEN_LIFE.total_seconds() / 2)
        with pytest.raises(NobodySignedIn, match="expired"):
            desk.signing.read(made.token)
        assert desk.signing.read(renewed).person == "tara"
        clock.shift(TOKEN_LIFE.total_seconds())
        assert desk.signing.read(await desk.signing.renewed(made.refresh)).person == "tara", "hours later too"


async def test_a_sign_in_is_over_after_half_a_day_however_it_was_renewed(tmp_path):
    clock = ManualClock(START)
    async with desk_of_many(tmp_path, clock) as desk:
        await sit(desk, "tara")
        clock.shift(SIGN_IN_LIFE.total_seconds())
        with pytest.raises(NoLongerStands, match="past its time"):
            desk.clients.all()


async def test_a_clock_set_back_makes_no_token_good_again(tmp_path):
    clock = ManualClock(START)
    async with desk_of_many(tmp_path, clock) as desk:
        token = await sit(desk, "tara")
        clock.shift(TOKEN_LIFE.total_seconds())
        with pytest.raises(NobodySignedIn, match="expired"):
            desk.signing.read(token)
        await sit(desk, "asha")  # whatever was written last tells how late it was already
        clock.shift(-TOKEN_LIFE.total_seconds() / 2)
        with pytest.raises(NobodySignedIn, match="set back"):
            desk.signing.read(token)
        clock.shift(-TOKEN_LIFE.total_seconds())
        with pytest.raises(NobodySignedIn, match="set back"):
            desk.signing.read(token)


async def test_a_sign_out_is_heard_at_once_in_reads_and_in_the_next_commit(tmp_path):
    async with desk_of_many(tmp_path) as desk:
        await sit(desk, "tara")
        left = desk.who.seat
        plan = await desk.plans.freeze(buy("INFY", QTY, 1, 1))
        assert await desk.signing.sign_out() == 1
        with pytest.raises(NoLongerStands):
            desk.funds.all()
        with pytest.raises(NoLongerStands):
            await desk.runs.start(plan, plan.digest)
        await sit(desk, "asha")
        with seated(desk, left), pytest.raises(NoLongerStands, match="was ended"):
            await desk.orders.cancel([1])
        assert desk.runs.all() == []


async def test_signing_out_everywhere_ends_every_sign_in_of_that_person_alone(tmp_path):
    async with desk_of_many(tmp_path) as desk:
        first = desk.signing.actor(await sit(desk, "tara"), Via.CLI)
        await sit(desk, "tara")
        assert await desk.signing.sign_out(everywhere=True) == 2
        with seated(desk, first), pytest.raises(NoLongerStands):
            desk.clients.all()
        await sit(desk, "asha")
        assert desk.people.sign_ins_of("tara") == 0
        assert desk.people.sign_ins_of("asha") == 2


async def test_who_may_no_longer_finds_it_in_the_commit_itself(tmp_path):
    async with desk_of_many(tmp_path) as desk:
        await sit(desk, "tara")
        tara = desk.who.actor
        await sit(desk, "asha")
        await desk.people.set_role("tara", Role.AUDITOR)
        stale = Actor("tara", Via.API, tara.sign_in, tara.version)
        assert desk.people.find("tara").version == tara.version + 1
        with seated(desk, stale), pytest.raises(NoLongerStands, match="changed since"):
            await desk.plans.freeze(buy("INFY", QTY, 1, 1))

        def ask(unit):
            desk.who.asked_again(stale, Right.SEND, unit)

        with pytest.raises(NoLongerStands):
            await seam(desk).store.write(ask)


async def test_a_password_is_changed_by_who_knows_it_and_signs_out_everywhere(tmp_path):
    async with desk_of_many(tmp_path) as desk:
        await sit(desk, "tara")
        with pytest.raises(SignInRefused):
            await desk.people.change_password("not this one at all", "another word for tara", HERE)
        await desk.people.change_password(password("tara"), "another word for tara", HERE)
        with pytest.raises(NoLongerStands):
            desk.clients.all()
        with pytest.raises(SignInRefused):
            await sit(desk, "tara")
        await desk.signing.sign_in("tara", "another word for tara", HERE, Via.API)


async def test_an_admin_recovers_by_the_code_once(tmp_path):
    async with paper_desk(tmp_path) as desk:
        code = (await desk.people.add("asha", Role.ADMIN, password("asha"))).recovery
        typed = "-".join(code[at : at + 4].lower() for at in range(0, 24, 4))
        for wrong in ("", "A" * 24, "x" * 1_000_000):
            with pytest.raises(SignInRefused):
                await desk.people.recover("asha", wrong, "another word for asha")
        again = await desk.people.recover("Asha", typed, "another word for asha")
        assert again.recovery != code
        with pytest.raises(SignInRefused):
            await desk.people.recover("asha", code, "a third word for asha")
        await desk.signing.sign_in("asha", "another word for asha", HERE, Via.API)


async def test_a_recovery_that_is_refused_is_told_and_tells_no_name(tmp_path):
    async with paper_desk(tmp_path) as desk:
        await desk.people.add("asha", Role.ADMIN, password("asha"))
        for name in ("asha", "nobody of this name"):
            with pytest.raises(SignInRefused):
                await desk.people.recover(name, "A" * 24, "another word for asha")
        await sit(desk, "asha")
        rows = await desk.audit.rows(10, action="SIGN_IN_REFUSED")
        assert [(row.actor, row.details["place"]) for row in sorted(rows, key=lambda row: row.seq)] == [
            ("asha", "recovery"),
            ("nobody signed in", "recovery"),
        ]


async def test_a_name_is_one_persons_however_it_is_written(tmp_path):
    composed, apart = "Jos\u00e9", "Jose\u0301"
    async with desk_of_many(tmp_path) as desk:
        assert (await desk.people.add(apart, Role.TRADER, password("asha"))).person.name == composed
        for same in (composed, apart, composed.upper(), "\uff21\uff33\uff28\uff21", "A\u017fha"):
            with pytest.raises(BadInput, match="somebody has this name"):
                await desk.people.add(same, Role.TRADER, password("asha"))
        made = await desk.signing.sign_in(apart.upper(), password("asha"), HERE, Via.API)
        assert made.claims.person == composed


async def test_a_key_that_the_vault_has_lost_is_made_anew_and_voids_what_it_signed(tmp_path):
    async with paper_desk(tmp_path) as desk:
        await desk.people.add("asha", Role.ADMIN, password("asha"))
        token = await sit(desk, "asha")
        desk.signing.read(token)
    (tmp_path / "secrets.enc").unlink()
    async with paper_desk(tmp_path, demo=False) as desk:
        desk.signing.read(token)
        await sit(desk, "asha")
        with pytest.raises(NobodySignedIn, match="not of these books"):
            desk.signing.read(token)


async def test_two_admins_who_disable_each_other_leave_one(tmp_path):
    async with desk_of_many(tmp_path) as desk:
        asha = desk.who.seat
        await desk.people.add("beena", Role.ADMIN, password("beena"))
        await sit(desk, "beena")
        await desk.people.disable("asha")
        with seated(desk, asha), pytest.raises(NoLongerStands):
            await desk.people.disable("beena")
        with pytest.raises(BadInput, match="the last admin"):
            await desk.people.disable("beena")
        with pytest.raises(BadInput, match="the last admin"):
            await desk.people.set_role("beena", Role.TRADER)
        with pytest.raises(SignInRefused):
            await sit(desk, "asha")
        assert not desk.people.find("beena").disabled
