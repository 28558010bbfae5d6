"""`hatbox login` and a headless Chromium that opens its addresses, in one browser. Appended to chromium.py.

Usage: console.py CHROMIUM HATBOX OPENER SEEN. OPENER is a program that writes its argument, the address, to the file SEEN.
Prints what the pages showed, as JSON.
"""

import tempfile

chromium, hatbox, opener, seen = sys.argv[1:]
FIELDS = ["who", "account", "region", "path", "sessions", "multi"]


def login(*arguments):
    """Runs `hatbox login`; returns the process and the address that it starts the browser with."""
    process = subprocess.Popen([hatbox, "login", *arguments], env={**os.environ, "HATBOX_BROWSER": opener},
                               stderr=subprocess.PIPE, text=True)
    until = time.monotonic() + LIMIT
    while not os.path.exists(seen):
        if process.poll() or time.monotonic() > until:
            sys.exit("no browser was opened: " + process.communicate()[1])
        time.sleep(0.02)
    with open(seen) as file:
        url = file.read()
    os.remove(seen)
    return process, url


def show(browser, *arguments, until="who", press=None):
    """Signs in; returns the contents of the page that has the element `until`."""
    process, url = login(*arguments)
    page = browser.open(url)
    if press:
        browser.wait(page, f"document.getElementById('{press}') !== null")
        browser.value(page, f"document.getElementById('{press}').click()")
    script = f"document.readyState === 'complete' && document.getElementById('{until}') !== null"
    deadline = time.monotonic() + LIMIT
    while not browser.value(page, script):
        # The browser may have blocked the window; a person would press the button.
        browser.value(page, userGesture=True, script=(
            "(() => {const go = document.getElementById('go');"
            "if (go && !go.hidden && !window.isPressed) {window.isPressed = true; go.click()}})()"))
        if time.monotonic() > deadline:
            sys.exit(f"waited in vain at {browser.value(page, 'location.href')}")
        time.sleep(0.05)
    said = process.communicate(timeout=LIMIT)[1]
    if process.returncode:
        sys.exit(said)
    text = lambda name: browser.value(page, f"document.getElementById('{name}')?.innerText?.trim()")
    return page, {name: text(name) for name in FIELDS if text(name)} or {"message": text("message")}


with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
    browser = Browser(chromium, profile)
    try:
        out = {}
        _, out["role"] = show(browser, "--service", "s3", "--region", "eu-west-1", "security-auditor")
        _, out["refused"] = show(browser, "--read-only", "jan-work", until="message")
        page, out["after_sign_out"] = show(browser, "--auto-logout", "--read-only", "jan-work")
        browser.value(page, "document.getElementById('switch').click()")
        browser.wait(page, "document.getElementById('message') !== null")
        _, out["multi_session"] = show(browser, "--auto-logout", "security-auditor")
        _, out["portal"] = show(browser, "--path", "iam/home#/roles", "work-read-only", press="open")
        print(json.dumps(out))
    finally:
        browser.end()
