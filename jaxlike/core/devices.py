"""Devices and the sharding of arrays that live on one device."""

from __future__ import annotations

from typing import Any, NamedTuple

from jaxlike.core.array import Array
from jaxlike.core.config import config
from jaxlike.core.errors import format_error


class Device:
    """A place where arrays live; `platform` is "cpu" or "gpu".

    >>> import jaxlike
    >>> jaxlike.devices()[0].platform
    'cpu'
    """

    __slots__ = ("id", "platform", "process_index")

    def __init__(self, platform: str, id: int, process_index: int = 0):
        self.platform = platform
        self.id = id
        self.process_index = process_index

    @property
    def device_kind(self) -> str:
        return self.platform

    @property
    def local_hardware_id(self) -> int:
        return self.id

    def __repr__(self) -> str:
        return f"{self.platform.capitalize()}Device(id={self.id})"

    def __str__(self) -> str:
        return f"{self.platform.upper()}_{self.id}"

    def memory_stats(self) -> None:
        """Statistics of the device's memory: None on the CPU."""
        return None


class Sharding:
    """How an array's elements lie on devices."""

    __slots__ = ()


class SingleDeviceSharding(Sharding):
    """The whole array on one device."""

    __slots__ = ("_device",)

    def __init__(self, device: Device, *, memory_kind: str | None = None):
        self._device = device

    @property
    def device_set(self) -> set[Device]:
        return {self._device}

    @property
    def memory_kind(self) -> str:
        return "device"

    @property
    def is_fully_replicated(self) -> bool:
        return True

    @property
    def is_fully_addressable(self) -> bool:
        return True

    def __repr__(self) -> str:
        return f"SingleDeviceSharding(device={self._device!r})"

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, SingleDeviceSharding) and (
            self._device is other._device
        )

    def __hash__(self) -> int:
        return hash(self._device)


class Shard(NamedTuple):
    """The part of an array that one device holds."""

    device: Device
    index: tuple[slice, ...]
    replica_id: int
    data: Array


_cpus: list[Device] = []


def cpu_devices() -> list[Device]:
    """The CPU devices of this process: as many as jax_num_cpu_devices says."""
    count = max(1, int(getattr(config, "num_cpu_devices", 1) or 1))
    while len(_cpus) < count:
        _cpus.append(Device("cpu", len(_cpus)))
    return _cpus[:count]


def devices(backend: str | None = None) -> list[Device]:
    """All devices of a platform (the default one for None).

    Raises RuntimeError for a platform that is not there.

    >>> import jaxlike
    >>> len(jaxlike.devices()) >= 1
    True
    """
    if backend in (None, "cpu", "numba", "reference"):
        return cpu_devices()
    raise RuntimeError(format_error(f"no devices of {backend!r} here, only of cpu"))


def local_devices(
    process_index: int | None = None,
    backend: str | None = None,
    host_id: int | None = None,
) -> list[Device]:
    """The devices of this process."""
    if process_index not in (None, 0):
        raise ValueError(format_error(f"Unknown process_index {process_index}"))
    return devices(backend)


def device_count(backend: str | None = None) -> int:
    """The number of devices of all processes."""
    return len(devices(backend))


def local_device_count(backend: str | None = None) -> int:
    """The number of devices of this process."""
    return len(local_devices(backend=backend))


def process_index(backend: str | None = None) -> int:
    """The number of this process: 0 when there is one."""
    return 0


def process_count(backend: str | None = None) -> int:
    """The number of processes that work together."""
    return 1


def process_indices(backend: str | None = None) -> list[int]:
    """The numbers of all processes."""
    return list(range(process_count(backend)))


host_id = process_index
host_count = process_count
host_ids = process_indices


def default_backend() -> str:
    """The platform that computations run on."""
    return "cpu"


def device_of(x: Array) -> Device:
    """The device that a concrete array lives on."""
    sharding = getattr(x, "_sharding", None)
    if isinstance(sharding, SingleDeviceSharding):
        return sharding._device
    return cpu_devices()[0]


def sharding_of(x: Array) -> Sharding:
    """The sharding of a concrete array."""
    sharding = getattr(x, "_sharding", None)
    return sharding or SingleDeviceSharding(cpu_devices()[0])


def _array_devices(self) -> set[Device]:
    """The set of devices that hold the array."""
    return sharding_of(self).device_set


def _array_shards(self) -> list[Shard]:
    """The parts that the devices of this process hold: one, the whole array."""
    index = (slice(None),) * self.ndim
    return [Shard(device_of(self), index, 0, self)]


Array.devices = _array_devices  # type: ignore[attr-defined]
Array.addressable_shards = property(_array_shards)  # type: ignore[attr-defined]
Array.global_shards = property(_array_shards)  # type: ignore[attr-defined]
Array.device = property(device_of)  # type: ignore[attr-defined]
Array.sharding = property(sharding_of)  # type: ignore[attr-defined]
