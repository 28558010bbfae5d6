"""A headless Chromium, driven over a pair of pipes (DevTools protocol, --remote-debugging-pipe)."""

import fcntl, json, os, subprocess, sys, time

LIMIT = 60


class Browser:
    def __init__(self, program, profile, *more):
        to_browser, self.write = os.pipe()
        self.read, from_browser = os.pipe()

        def pipes():
            # The browser reads commands from 3 and writes to 4. Duplicates first, as either number may be in use.
            ends = [fcntl.fcntl(end, fcntl.F_DUPFD, 10) for end in (to_browser, from_browser)]
            os.dup2(ends[0], 3)
            os.dup2(ends[1], 4)

        flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
                 "--disable-background-networking", "--remote-debugging-pipe", "--user-data-dir=" + profile, *more]
        self.process = subprocess.Popen(
            [program, *flags, "about:blank"], preexec_fn=pipes, close_fds=False,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(to_browser)
        os.close(from_browser)
        self.count, self.buffer = 0, b""

    def ask(self, method, session=None, **params):
        self.count += 1
        order = {"id": self.count, "method": method, "params": params}
        if session:
            order["sessionId"] = session
        os.write(self.write, json.dumps(order).encode() + b"\0")
        while True:
            while b"\0" not in self.buffer:
                part = os.read(self.read, 65536)
                if not part:
                    sys.exit("the browser ended")
                self.buffer += part
            message, _, self.buffer = self.buffer.partition(b"\0")
            message = json.loads(message)
            if message.get("id") == self.count:
                if "error" in message:
                    raise RuntimeError(json.dumps(message["error"]))
                return message["result"]

    def open(self, url):
        target = self.ask("Target.createTarget", url=url)["targetId"]
        return self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]

    def value(self, session, script, **params):
        """The script's result; None while the page is navigating to another one."""
        try:
            answer = self.ask("Runtime.evaluate", session, expression=script, returnByValue=True, **params)
        except RuntimeError:
            return None
        return answer["result"].get("value")

    def wait(self, session, script):
        until = time.monotonic() + LIMIT
        while time.monotonic() < until:
            value = self.value(session, script)
            if value:
                return value
            time.sleep(0.05)
        sys.exit("waited in vain for " + script)

    def end(self):
        self.process.kill()
        self.process.wait()
