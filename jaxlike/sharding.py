"""Shardings, under the names of jax.sharding: those of one device so far."""

from jaxlike.core.devices import Sharding as Sharding
from jaxlike.core.devices import SingleDeviceSharding as SingleDeviceSharding
