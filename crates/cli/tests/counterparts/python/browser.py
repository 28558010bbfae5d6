"""An Identity Center client with PKCE, and a headless Chromium that presses a button on the sandbox's page.

Usage: browser.py CHROMIUM OIDC_URL START_URL BUTTON. Prints what the page showed and the client's result, as JSON.
Usage: browser.py CHROMIUM BUTTON URL. Only the browser, for HATBOX_BROWSER: ends once the client has answered.
Appended to chromium.py.
"""

import base64, fcntl, hashlib, http.server, json, os, secrets, subprocess, sys, tempfile, time, urllib.parse
import boto3
from botocore import UNSIGNED
from botocore.config import Config

class Callback(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        if url.path == "/oauth/callback":
            self.server.query = dict(urllib.parse.parse_qsl(url.query))
        self.send_response(200)
        self.send_header("content-type", "text/plain")
        self.end_headers()
        self.wfile.write(b"done")

    def log_message(self, *_):
        pass


def walk(program, url, button, come_back):
    """Opens the page, presses the button and waits for `come_back`; returns what the page showed."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        browser = Browser(program, profile)
        try:
            page = browser.open(url)
            browser.wait(page, "document.readyState === 'complete' && document.getElementById('allow') !== null")
            shown = {name: browser.value(page, f"document.getElementById('{name}').innerText.trim()")
                     for name in ["client", "user", "scopes"]}
            browser.value(page, f"document.getElementById('{button}').click()")
            come_back(browser, page)
            return shown
        finally:
            browser.end()


if len(sys.argv) == 4:
    program, button, url = sys.argv[1:]
    arrived = "location.pathname === '/oauth/callback' && document.readyState === 'complete'"
    walk(program, url, button, lambda browser, page: browser.wait(page, arrived))
    sys.exit()

program, url, start_url, button = sys.argv[1:]
server = http.server.HTTPServer(("127.0.0.1", 0), Callback)
server.timeout, server.query = LIMIT, None
redirect = f"http://127.0.0.1:{server.server_port}/oauth/callback"
oidc = boto3.client("sso-oidc", region_name="us-east-1", config=Config(signature_version=UNSIGNED))
client = oidc.register_client(
    clientName="counterpart", clientType="public", scopes=["sso:account:access"], issuerUrl=start_url,
    grantTypes=["authorization_code", "refresh_token"], redirectUris=["http://127.0.0.1/oauth/callback"])
verifier, state = secrets.token_urlsafe(48), secrets.token_urlsafe(16)
challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
query = urllib.parse.urlencode({
    "response_type": "code", "client_id": client["clientId"], "redirect_uri": redirect, "state": state,
    "code_challenge_method": "S256", "scopes": "sso:account:access", "code_challenge": challenge})


def serve(*_):
    until = time.monotonic() + LIMIT
    while server.query is None and time.monotonic() < until:
        server.handle_request()


out = walk(program, f"{url}/authorize?{query}", button, serve)
answer = server.query or sys.exit("the browser did not come back")
out["state"] = answer.get("state") == state
out["error"] = answer.get("error")
if "code" in answer:
    token = oidc.create_token(
        clientId=client["clientId"], clientSecret=client["clientSecret"], grantType="authorization_code",
        code=answer["code"], codeVerifier=verifier, redirectUri=redirect)
    sso = boto3.client("sso", region_name="us-east-1", config=Config(signature_version=UNSIGNED))
    accounts = sso.list_accounts(accessToken=token["accessToken"])["accountList"]
    out["accounts"] = [account["accountId"] for account in accounts]
print(json.dumps(out))
