"""A simulated robotic telescope: whole nights for demonstrations, single frames for tests."""

from shared.simulator.frame import SimulatedFrame, simulate_frame
from shared.simulator.night import simulate_night
from shared.simulator.site import Site

__all__ = ["SimulatedFrame", "Site", "simulate_frame", "simulate_night"]
