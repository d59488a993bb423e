"""Views of what watches the desk: alerts and rules, guards, limits before orders, the health of calls."""
