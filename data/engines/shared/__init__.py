"""What desks on one database share: who has which client, and the gate that a halt closes."""
