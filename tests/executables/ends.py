# run: code
# run: text
# run: none
# run: true
# run: large
# run: negative
# run: raise
# run: atexit
# run: daemon
# run: signal
# run: interrupted
# run: subclass
# run: at-once
# run: chain
# run: syntax
# run: no-stdout
# run: hook
# run: file
# run: generator
# run: thread-error
# run: frozen
# run: full-stderr
"""How a program ends."""

import atexit
import os
import signal
import sys
import tempfile
import threading
import time

how = sys.argv[1]
if how == "code":
    sys.exit(7)
if how == "text":
    sys.exit("message")
if how == "none":
    sys.exit()
if how == "true":
    sys.exit(True)
if how == "large":
    sys.exit(2**40 + 5)
if how == "negative":
    sys.exit(-1)
if how == "raise":
    raise ValueError("wrong")
if how == "atexit":
    atexit.register(print, "registered first")
    atexit.register(print, "registered last")
    threading.Thread(target=lambda: (time.sleep(0.1), print("thread"))).start()
    print("main")
if how == "daemon":
    threading.Thread(target=time.sleep, args=(100,), daemon=True).start()
    print("main")
if how == "signal":
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(5)
if how == "interrupted":
    raise KeyboardInterrupt
if how == "subclass":
    raise type("Exit", (SystemExit,), {})(3)
if how == "at-once":
    print("lost", end="")
    os._exit(9)
if how == "chain":
    try:
        1 / 0
    except ZeroDivisionError as error:
        raise RuntimeError("so") from error
if how == "syntax":
    compile("a b", "f.py", "exec")
if how == "no-stdout":
    sys.stdout = None
    print("nowhere")
if how == "hook":
    sys.excepthook = lambda kind, value, traceback: print("hook", kind.__name__)
    raise ValueError
if how == "file":
    # Never closed: what was written has to arrive all the same.
    folder = tempfile.mkdtemp()
    text = open(folder + "/text", "w")
    text.write("kept")
    binary = open(folder + "/binary", "wb")
    binary.write(b"kept")
    if not os.fork():
        sys.exit()
    os.wait()
    os.execvp("sh", ["sh", "-c", 'cat "$0"/*; rm -r "$0"', folder])
if how == "generator":

    def forever():
        try:
            yield
        finally:
            print("left")

    it = forever()
    next(it)
    it.close()
if how == "thread-error":
    thread = threading.Thread(target=lambda: 1 / 0)
    thread.start()
    thread.join()
    print("main")
if how == "frozen":
    import gc

    # As servers do before they fork: the collector shows nothing of the file any more.
    path = tempfile.mkstemp()[1]
    if not os.fork():
        text = open(path, "w")
        text.write("kept")
        gc.freeze()
        sys.exit()
    os.wait()
    os.execvp("sh", ["sh", "-c", 'cat "$0"; rm "$0"', path])
if how == "full-stderr":
    os.dup2(os.open("/dev/full", os.O_WRONLY), 2)
    raise ValueError
