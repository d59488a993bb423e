"""Proof that no order is sent twice and none is lost: a broker that misbehaves, an engine that is killed."""
