"""Every benchmark program: importing this registers them."""

from tests.benchmarks import workloads, workloads_wide

__all__ = ["workloads", "workloads_wide"]
