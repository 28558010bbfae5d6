"""A Firefox that was started with --marionette, driven over its socket (Marionette protocol 3).

Usage: firefox.py PROFILE {URL_PART ELEMENT CLICK} URL_PART ELEMENT. Waits for a page whose address contains URL_PART and that
has the element (a CSS selector), clicks on CLICK, and goes on to the next. Prints the address of the last page, the text of
each element with an id, and the container that the page is in, as JSON.
"""

import json, os, socket, sys, time

LIMIT = 60


class Firefox:
    def __init__(self, profile):
        until = time.monotonic() + LIMIT
        place = os.path.join(profile, "MarionetteActivePort")
        port = ""
        while not port:
            if time.monotonic() > until:
                sys.exit("Firefox does not listen")
            time.sleep(0.05)
            if os.path.exists(place):
                with open(place) as file:
                    port = file.read().strip()
        self.socket = socket.create_connection(("127.0.0.1", int(port)), LIMIT)
        self.count, self.buffer = 0, b""
        self.read()
        self.ask("WebDriver:NewSession")

    def read(self):
        """A message: its length, a colon, JSON."""
        while True:
            length, colon, rest = self.buffer.partition(b":")
            if colon and len(rest) >= int(length):
                self.buffer = rest[int(length):]
                return json.loads(rest[:int(length)])
            part = self.socket.recv(65536)
            if not part:
                sys.exit("Firefox ended")
            self.buffer += part

    def ask(self, name, **params):
        self.count += 1
        order = json.dumps([0, self.count, name, params]).encode()
        self.socket.sendall(b"%d:%s" % (len(order), order))
        _, _, error, result = self.read()
        if error:
            raise RuntimeError(json.dumps(error))
        return result

    def run(self, script):
        return self.ask("WebDriver:ExecuteScript", script=script, args=[])["value"]

    def find(self, url_part, element):
        """The page at this address, in whichever tab it is."""
        until, seen = time.monotonic() + LIMIT, set()
        while time.monotonic() < until:
            for handle in self.ask("WebDriver:GetWindowHandles"):
                try:
                    self.ask("WebDriver:SwitchToWindow", handle=handle)
                    # A tab that is navigating to another page has none.
                    url = self.run("return location.href") or ""
                    seen.add(url)
                    if url_part in url and self.run(
                            "return document.readyState === 'complete' && !!document.querySelector(%s)" % json.dumps(element)):
                        return
                except RuntimeError:
                    # The tab is closed, or navigating to another page.
                    pass
            time.sleep(0.05)
        sys.exit("waited in vain; the pages were " + ", ".join(sorted(seen)))


profile, *pages, url_part, element = sys.argv[1:]
firefox = Firefox(profile)
while pages:
    first_url_part, first_element, click, *pages = pages
    firefox.find(first_url_part, first_element)
    firefox.run("document.querySelector(%s).click()" % json.dumps(click))
firefox.find(url_part, element)
shown = firefox.run("return Object.fromEntries([...document.querySelectorAll('[id]')].map(e => [e.id, e.innerText.trim()]))")
shown["url"] = firefox.run("return location.href")
firefox.ask("Marionette:SetContext", value="chrome")
shown["container"] = firefox.run("""
    const { ContextualIdentityService } = ChromeUtils.importESModule("resource://gre/modules/ContextualIdentityService.sys.mjs");
    const id = Number(gBrowser.selectedBrowser.getAttribute("usercontextid"));
    const found = id ? ContextualIdentityService.getPublicIdentityFromId(id) : null;
    return found && [found.name, found.color, found.icon];
""")
print(json.dumps(shown))
firefox.ask("WebDriver:DeleteSession")
