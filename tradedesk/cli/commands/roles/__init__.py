"""People who sign in: who they are, signing in and out, confirming others' plans."""
