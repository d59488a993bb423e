"""What is saved under a name to be traded by: baskets, presets, and models by their versions."""
