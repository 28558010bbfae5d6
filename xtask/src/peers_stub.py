"""Answers as STS and Identity Center do, at once and without checking who asks: `peers_stub.py CERT KEY`.

Plain HTTP for programs that can be given an endpoint; for the others it is also a proxy that ends TLS. An MFA code is taken
once, as AWS takes it. Prints its port.
"""
import json
import socket
import ssl
import sys
import threading
import time
import urllib.parse

context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1], sys.argv[2])
lock = threading.Lock()
used_codes = set()

STS = """<{0}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><{0}Result>
<Credentials><AccessKeyId>ASIABENCHBENCHBENCH1</AccessKeyId><SecretAccessKey>{1}</SecretAccessKey>
<SessionToken>{2}</SessionToken><Expiration>{3}</Expiration></Credentials>
<AssumedRoleUser><Arn>arn:aws:sts::444455556666:assumed-role/{4}/{5}</Arn>
<AssumedRoleId>AROABENCHBENCHBENCH1:{5}</AssumedRoleId></AssumedRoleUser>
</{0}Result><ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></{0}Response>"""
DENIED = """<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>
<Code>AccessDenied</Code><Message>MultiFactorAuthentication failed with invalid MFA one time pass code.</Message>
</Error><RequestId>1</RequestId></ErrorResponse>"""


def answer_sts(body):
    form = dict(urllib.parse.parse_qsl(body.decode()))
    code = form.get("TokenCode")
    with lock:
        if code in used_codes:
            return 403, "text/xml", DENIED
        if code:
            used_codes.add(code)
    end = time.gmtime(time.time() + int(form.get("DurationSeconds", "3600")))
    end = time.strftime("%Y-%m-%dT%H:%M:%SZ", end)
    role = form.get("RoleArn", "").rpartition("/")[2]
    text = STS.format(form.get("Action"), "s" * 40, "t" * 600, end, role, form.get("RoleSessionName"))
    return 200, "text/xml", text


def answer_sso(path):
    soon = int(time.time()) + 3600
    if path.startswith("/client/register"):
        found = {"clientId": "c", "clientSecret": "s", "clientSecretExpiresAt": soon * 2}
    elif path.startswith("/device_authorization"):
        page = "http://127.0.0.1/device"
        found = {"deviceCode": "d", "userCode": "ABCD-EFGH", "verificationUri": page,
                 "verificationUriComplete": page, "expiresIn": 600, "interval": 1}
    elif path.startswith("/token"):
        found = {"accessToken": "a" * 400, "expiresIn": 28800, "tokenType": "Bearer"}
    elif path.startswith("/assignment/accounts"):
        found = {"accountList": [{"accountId": "444455556666", "accountName": "work", "emailAddress": "a@b.example"}]}
    elif path.startswith("/assignment/roles"):
        found = {"roleList": [{"accountId": "444455556666", "roleName": "auditor"}]}
    elif path.startswith("/federation/credentials"):
        found = {"roleCredentials": {"accessKeyId": "ASIABENCHBENCHBENCH1", "secretAccessKey": "s" * 40,
                                     "sessionToken": "t" * 600, "expiration": soon * 1000}}
    else:
        return 404, "application/json", "{}"
    return 200, "application/json", json.dumps(found)


def serve(client):
    data = b""
    while True:
        while b"\r\n\r\n" not in data:
            more = client.recv(65536)
            if not more:
                return client.close()
            data += more
        head, data = data.split(b"\r\n\r\n", 1)
        lines = head.decode("latin-1").split("\r\n")
        method, target, _ = lines[0].split(" ", 2)
        if method == "CONNECT":
            client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            client = context.wrap_socket(client, server_side=True)
            continue
        headers = dict(line.lower().split(":", 1) for line in lines[1:])
        length = int(headers.get("content-length", "0"))
        while len(data) < length:
            data += client.recv(65536)
        body, data = data[:length], data[length:]
        is_sts = target == "/" or b"Action=" in body
        status, kind, text = answer_sts(body) if is_sts else answer_sso(target)
        text = text.encode()
        client.sendall(b"HTTP/1.1 %d OK\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s"
                       % (status, kind.encode(), len(text), text))


def serve_quietly(client):
    try:
        serve(client)
    except (OSError, ValueError):
        client.close()


listener = socket.create_server(("127.0.0.1", 0), backlog=128)
print(listener.getsockname()[1], flush=True)
while True:
    threading.Thread(target=serve_quietly, args=(listener.accept()[0],), daemon=True).start()
