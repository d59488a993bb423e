"""What each event makes of each state, against a table written by hand from the rules of an order."""

import pytest

from brokers.contract import BrokerStatus
from data.vocabulary import LIVE_STATES, TERMINAL_STATES, OrderState
from engine.booking.states import COMMANDS, EVENT_OF_STATUS, CommandRefused, Flag, OrderEvent, transition

S, E = OrderState, OrderEvent
FACTS = sorted(set(E) - COMMANDS)
SEEN = [event for event in E if event.value.startswith("seen")]

# no: the command is refused; = : the state stays; a name: the state after it.
# ! flags an ANOMALY: nothing of ours can have led there. * flags RESURRECTED: the broker corrects an end.
BY_HAND = """
               claim    free       deny    not_sent  refused   accepted  ambiguous  proven_absent
DENIED         no       no         no      =!        =!        OPEN*     =!         =!
RESERVED       SENDING  CANCELLED  DENIED  =!        =!        OPEN!     =!         =!
SENDING        no       no         no      RESERVED  REJECTED  OPEN      UNKNOWN    =!
UNKNOWN        no       no         no      =!        =!        OPEN      =          NOT_RECEIVED
OPEN           no       no         no      =!        =!        =         =          =!
FILLED         no       no         no      =!        =!        =         =          =!
CANCELLED      no       no         no      =!        =!        =         =          =!
REJECTED       no       no         no      =!        =!        =         =          =!
EXPIRED        no       no         no      =!        =!        =         =          =!
NOT_RECEIVED   no       no         no      =!        =!        OPEN*     =!         =!

               seen_live  seen_filled  seen_cancelled  seen_rejected  seen_expired
DENIED         OPEN*      FILLED*      CANCELLED*      REJECTED*      EXPIRED*
RESERVED       OPEN!      FILLED!      CANCELLED!      REJECTED!      EXPIRED!
SENDING        OPEN       FILLED       CANCELLED       REJECTED       EXPIRED
UNKNOWN        OPEN       FILLED       CANCELLED       REJECTED       EXPIRED
OPEN           =          FILLED       CANCELLED       REJECTED       EXPIRED
FILLED         =          =            =               =              =
CANCELLED      OPEN*      FILLED*      =               REJECTED*      EXPIRED*
REJECTED       OPEN*      FILLED*      CANCELLED*      =              EXPIRED*
EXPIRED        OPEN*      FILLED*      CANCELLED*      REJECTED*      =
NOT_RECEIVED   OPEN*      FILLED*      CANCELLED*      REJECTED*      EXPIRED*
"""


def written():
    """The table above as state, event and cell."""
    cells = []
    for block in BY_HAND.strip().split("\n\n"):
        events, *rows = (line.split() for line in block.splitlines())
        for state, *row in rows:
            cells += [(S[state], E(event), cell) for event, cell in zip(events, row, strict=True)]
    return cells


def test_the_table_by_hand_has_every_state_with_every_event_once():
    pairs = [(state, event) for state, event, _ in written()]
    assert len(pairs) == len(S) * len(E)
    assert set(pairs) == {(state, event) for state in S for event in E}


@pytest.mark.parametrize(("state", "event", "cell"), written())
def test_each_cell_is_what_was_written_by_hand(state, event, cell):
    if cell == "no":
        with pytest.raises(CommandRefused, match=f"{event.value} is not possible .* {state.value}"):
            transition(state, event)
        return
    flag = {"!": Flag.ANOMALY, "*": Flag.RESURRECTED}.get(cell[-1])
    name = cell.rstrip("!*")
    assert transition(state, event) == (state if name == "=" else S[name], flag)


def test_every_status_of_a_broker_is_an_event_and_only_known_words_end_an_order():
    assert set(EVENT_OF_STATUS) == set(BrokerStatus)
    assert set(EVENT_OF_STATUS.values()) == set(SEEN)
    live = {status for status, event in EVENT_OF_STATUS.items() if event is E.SEEN_LIVE}
    assert live == {BrokerStatus.OPEN, BrokerStatus.UNRECOGNISED}


def test_every_state_is_live_or_terminal_and_never_both():
    assert set(S) == LIVE_STATES | TERMINAL_STATES
    assert not LIVE_STATES & TERMINAL_STATES


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
