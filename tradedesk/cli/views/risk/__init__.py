"""Shapes of what bounds the risk: guards, limits before orders, shares on margin."""
