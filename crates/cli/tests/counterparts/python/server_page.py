"""Run by `hatbox exec --server`: a headless Chromium that calls the credential server as a web page that knows the token would.
Appended to chromium.py.

Usage: server_page.py CHROMIUM. Prints what each page got, as JSON.
"""

import http.server, tempfile, threading, urllib.error, urllib.request

uri = os.environ["AWS_CONTAINER_CREDENTIALS_FULL_URI"]
with open(os.environ["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"]) as file:
    token = file.read()
path = uri[uri.index("/credentials/"):]
port = uri.split(":")[2].split("/")[0]
# The attacker's name resolves to this machine, as after DNS rebinding.
rebound = f"http://evil.example:{port}{path}"


class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<p id=evil>evil</p>")

    def log_message(self, *_):
        pass


def fetch(browser, page, url, **options):
    """What a script on this page sees of a response."""
    script = f"""fetch({json.dumps(url)}, {json.dumps(options)})
        .then(answer => answer.text().then(text => answer.type + ' ' + answer.status + ' ' + text), error => 'none ' + error)"""
    result = browser.ask("Runtime.evaluate", page, expression=script, awaitPromise=True, returnByValue=True)
    return result["result"].get("value")


site = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
threading.Thread(target=site.serve_forever, daemon=True).start()
with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
    browser = Browser(sys.argv[1], profile, "--host-resolver-rules=MAP evil.example 127.0.0.1")
    try:
        out, known = {}, {"Authorization": token}
        page = browser.open(f"http://evil.example:{site.server_port}/")
        browser.wait(page, "document.getElementById('evil') !== null")
        out["another_origin"] = fetch(browser, page, uri, headers=known)
        out["without_cors"] = fetch(browser, page, uri, mode="no-cors")
        for name, url in [("rebound", rebound), ("address", uri)]:
            page = browser.open(url)
            browser.wait(page, "document.readyState === 'complete' && location.href !== 'about:blank'")
            out[name] = browser.value(page, "document.documentElement.innerText")
            out[name + "_script"] = fetch(browser, page, path, headers=known)
    finally:
        browser.end()
with urllib.request.urlopen(urllib.request.Request(uri, headers=known)) as answer:
    out["program"] = f"{answer.status} " + answer.read().decode()
print(json.dumps(out))
