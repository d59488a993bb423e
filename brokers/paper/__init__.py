"""The paper exchange as a broker: the adapter alone; the exchange is among the simulators."""
