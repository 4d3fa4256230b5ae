import os

import psutil

me = psutil.Process()
assert me.pid == os.getpid() and me.memory_info().rss > 1 << 20
print(psutil.cpu_count() == os.cpu_count(), psutil.virtual_memory().total > 0)
print(me.nice(), sorted(me.cpu_affinity()) == sorted(os.sched_getaffinity(0)))
