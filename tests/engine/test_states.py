"""What each event makes of each state."""

import pytest

from data.vocabulary import LIVE_STATES, TERMINAL_STATES, OrderState
from engine.orders.states import COMMANDS, CommandRefused, Flag, OrderEvent, transition

S, E = OrderState, OrderEvent
FACTS = sorted(set(E) - COMMANDS)
SEEN = [event for event in E if event.value.startswith("seen")]


def test_every_state_is_live_or_terminal_and_never_both():
    assert set(S) == LIVE_STATES | TERMINAL_STATES
    assert not LIVE_STATES & TERMINAL_STATES


@pytest.mark.parametrize("state", S)
def test_commands_are_for_reserved_orders_only(state):
    if state is S.RESERVED:
        assert transition(state, E.CLAIM) == (S.SENDING, None)
        assert transition(state, E.FREE) == (S.CANCELLED, None)
        return
    for command in COMMANDS:
        with pytest.raises(CommandRefused, match=state.value):
            transition(state, command)


@pytest.mark.parametrize("state", S)
@pytest.mark.parametrize("fact", FACTS)
def test_no_fact_is_ever_refused(state, fact):
    after, flag = transition(state, fact)
    if state in TERMINAL_STATES and after in LIVE_STATES:
        assert flag is Flag.RESURRECTED
    if state is S.FILLED:
        assert after is S.FILLED
    if after is S.RESERVED:
        assert (state, fact) == (S.SENDING, E.NOT_SENT) or state is S.RESERVED
    if after is S.NOT_RECEIVED and state is not after:
        assert (state, fact) == (S.UNKNOWN, E.PROVEN_ABSENT)


@pytest.mark.parametrize("event", SEEN)
def test_the_brokers_word_ends_doubt_without_a_flag(event):
    for state in (S.SENDING, S.UNKNOWN, S.OPEN):
        after, flag = transition(state, event)
        assert flag is None
        assert after not in (S.SENDING, S.UNKNOWN, S.RESERVED)


def test_doubt_never_leads_back_to_reserved_where_an_order_could_be_sent_again():
    reached, frontier = {S.UNKNOWN}, [S.UNKNOWN]
    while frontier:
        state = frontier.pop()
        for fact in FACTS:
            after, _ = transition(state, fact)
            if after not in reached:
                reached.add(after)
                frontier.append(after)
    assert S.RESERVED not in reached
    assert S.SENDING not in reached
