"""A tool for tests: `worker.py how output [input...]`, in one shot or as a worker. Says in `starts` who it is."""

import json
import os
import signal
import subprocess
import sys
import time


def say(message):
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def until(condition):
    end = time.monotonic() + 60
    while not condition():
        if time.monotonic() > end:
            raise SystemExit("waited in vain")
        time.sleep(0.002)


def starts():
    with open("starts") as file:
        return len(file.readlines())


def burn():
    end = time.process_time() + 0.3
    while time.process_time() < end:
        pass


def work(identity, how, output, *inputs):
    status, text = 0, ""
    if how == "fail":
        return 3, "no good\n"
    elif how == "noted":
        sys.stderr.write("a note\n")
        sys.stderr.flush()
        text = "done\n"
    elif how == "die":
        sys.stderr.write("last words\n")
        sys.stderr.flush()
        os._exit(5)
    elif how == "shot":
        os.kill(os.getpid(), signal.SIGKILL)
    elif how == "garbage":
        print("hello, world", flush=True)
    elif how == "wrong":
        say({"id": identity + 1, "status": 0})
    elif how == "close":
        os.close(1)
        time.sleep(1000)
    elif how == "huge":
        sys.stderr.write("e" * 8_000_000)
        sys.stderr.flush()
        text = "\u00e9" * 4_000_000
    elif how == "hang":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1000)"])
        with open("hanging.tmp", "w") as file:
            file.write(f"{os.getpid()} {child.pid}")
        os.rename("hanging.tmp", "hanging")
        time.sleep(1000)
    elif how == "burn":
        burn()
    elif how == "two":
        until(lambda: starts() >= 2)
    elif how == "ran":
        open("waits", "w").close()
        until(lambda: os.path.exists("ran"))
    elif how == "stubborn":
        global stubborn
        stubborn = True
    result = "".join(open(name).read().upper() for name in inputs if len(name) < 1000)
    with open(output, "w") as file:
        file.write(result)
    with open(output + ".d", "w") as file:
        for name in inputs:
            folder = os.path.dirname(name)
            header = os.path.join(folder, "header.txt")
            if os.path.exists(header):
                file.write(header + "\n")
    return status, text


stubborn = False


def main():
    with open("starts", "a") as file:
        file.write(f"{os.getpid()}\n")
    if os.environ.get("NOISE"):
        sys.stderr.write("n" * 1_000_000)
        sys.stderr.flush()
    if sys.argv[1:] != ["--persistent-worker"]:
        status, text = work(1, *sys.argv[1:])
        sys.stdout.write(text)
        sys.exit(status)
    for line in sys.stdin:
        request = json.loads(line)
        status, text = work(request["id"], *request["arguments"])
        answer = {"id": request["id"], "status": status, "output": text}
        if request["arguments"][0] == "twice":
            sys.stdout.write(json.dumps(answer) + "\n")
        say(answer)
        if request["arguments"][0] == "last":
            return
    while stubborn:
        time.sleep(1)


main()
