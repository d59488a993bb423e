"""What is said of the key profiles, and of the one key that is not what other terminals have there.

Each fits a line of 78 cells.
"""

PROFILE_WORDS = {
    "plain": "b buys, s sells for one client, B and S for many; Enter opens, ? shows all",
    "kite": "as at Kite: b buys, s sells; B and S do it for many clients at once",
    "odin": "F1 + buy, F2 - sell, F3 orders, F6 depth, F8 trades, Insert watches, ? help",
}
"""What each profile of keys is, by its name."""

F9_WORDS = "F9 F9 cancels ALL live orders of ALL clients and halts the desk"
"""What F9 does, for whoever is asked for the first time."""

F9_ODIN_WORDS = "F9 is no snap quote here: F9 F9 cancels ALL orders of ALL clients, halts"
"""The same for hands that know another F9."""

TRY_F9 = "press F9 once now, which only arms:"
F9_ARRIVED = "it arrives ✓ · Esc stands down"
F9_NOT_SEEN = "not seen yet · its twin is ctrl+g"
"""The harmless try of F9."""
