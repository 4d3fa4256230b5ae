import threading

import greenlet


def counter(n):
    while True:
        n = greenlet.getcurrent().parent.switch(n + 1)


g = greenlet.greenlet(counter)
print([g.switch(n) for n in range(5)])


def fails():
    raise ValueError("out of a greenlet")


try:
    greenlet.greenlet(fails).switch()
except ValueError as error:
    print(error)
seen = []
threads = [threading.Thread(target=lambda: seen.append(greenlet.greenlet(sum).switch([1, 2]))) for _ in range(4)]
[t.start() for t in threads]
[t.join() for t in threads]
print(seen)
