"""The audit as somebody with a scope of clients finds it: by the desk, and through an assistant."""

import json

import pytest

from data.audit import AuditAction
from data.vocabulary import SizingKind
from engine.book.audit_views import Of, StoryOf
from engine.colon.searches import search_from
from engine.refusals import Forbidden
from tests.desks import buy, carry_out
from tests.people.home_of_many import MINE, THEIRS, desk_of_many, sit
from tradedesk.mcp.looks import CannotLook, Looks


async def test_a_search_a_story_and_a_chapter_are_of_the_scope(tmp_path):
    async with desk_of_many(tmp_path) as desk:
        mine = {desk.clients.find(code).id for code in MINE}
        theirs = desk.clients.find(THEIRS).id
        _, run = await carry_out(desk, buy("TCS", SizingKind.FIXED_QUANTITY, 1, theirs, *mine))
        everything = (await (await desk.audit.search()).page(limit=1000)).rows
        of_theirs = next(row for row in everything if row.client_id == theirs)
        of_mine = next(row for row in everything if row.client_id in mine)
        of_none = next(row for row in everything if row.client_id is None)

        await sit(desk, "ravi")
        found = (await (await desk.audit.search()).page(limit=1000)).rows
        assert {row.client_id for row in found} == mine
        assert found == tuple(row for row in everything if row.client_id in mine)
        narrowed = await desk.audit.search(search_from(["action:order_filled"], desk.known()))
        assert {row.client_id for row in (await narrowed.page()).rows} == mine
        assert (await desk.audit.story(of_mine.seq)).row == of_mine
        for row in (of_theirs, of_none):
            with pytest.raises(Forbidden):
                await desk.audit.story(row.seq)
        chapter = await desk.audit.chapter(StoryOf(Of.RUN, run.number), of_mine.seq)
        assert {row.client_id for row in chapter.rows} == mine


async def test_a_client_may_not_look_through_the_audit(tmp_path):
    async with desk_of_many(tmp_path) as desk:
        await sit(desk, "aarav")
        with pytest.raises(Forbidden):
            await desk.audit.search()
        with pytest.raises(Forbidden):
            await desk.audit.chain_state()


async def test_an_assistant_s_program_sees_what_its_person_does(tmp_path):
    async with desk_of_many(tmp_path) as desk:
        mine = {desk.clients.find(code).id for code in MINE}
        theirs = desk.clients.find(THEIRS).id
        await carry_out(desk, buy("TCS", SizingKind.FIXED_QUANTITY, 1, theirs, *mine))
        await sit(desk, "ravi")
        looks = Looks(desk)
        funds = json.loads(await looks.command("funds", "funds"))["data"]
        assert {one["client_id"] for one in funds} == mine
        with pytest.raises((CannotLook, Forbidden)):
            await looks.command("funds", "funds", f"--client={THEIRS}")
        await sit(desk, "asha")
        told = await desk.audit.search(search_from(["action:assistant_looked"], desk.known()))
        rows = (await told.page()).rows
        assert {row.actor for row in rows} == {"ravi"}
        assert [row.action for row in rows] == [AuditAction.ASSISTANT_LOOKED] * 2


async def test_a_person_s_story_is_of_their_account_whoever_changed_it(tmp_path):
    async with desk_of_many(tmp_path) as desk:
        await sit(desk, "ravi")
        await sit(desk, "asha")
        await desk.people.disable("ravi")
        search = await desk.audit.search(search_from(["action:person_changed"], desk.known()))
        (row,) = (await search.page()).rows
        subject, _ = (await desk.audit.story(row.seq)).subjects
        assert subject == StoryOf(Of.PERSON, name="ravi")
        chapter = await desk.audit.chapter(subject, row.seq)
        assert [(one.action, one.actor) for one in chapter.rows] == [
            ("PERSON_ADDED", "asha"),
            ("SIGNED_IN", "ravi"),
            ("PERSON_CHANGED", "asha"),
        ]
        signed_in = await desk.audit.story(chapter.rows[1].seq)
        assert signed_in.subjects[0] == subject
