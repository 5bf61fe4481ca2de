"""How fast each variant of a bundle is on this device, each measured in a process of its own.

:mod:`.measure_process` measures one and tells :mod:`.child`, which started it; :mod:`.energy` reads what the
board tells of its power. The verb is :mod:`device.bench_command`.
"""
