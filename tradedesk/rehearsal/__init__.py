"""A firm rehearsed on one machine: servers of its own, a broker's stand-in, desks as processes, and a load.

Nothing of it is imported before `tradedesk firm` asks for it.
"""
