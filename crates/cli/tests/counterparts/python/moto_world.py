"""A moto server that enforces IAM, after it has created a user, roles and a bucket.

Prints one line of JSON, and serves until its stdin closes.
"""

import json
import sys

import boto3
from moto import settings
from moto.server import ThreadedMotoServer

server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
host, port = server.get_host_and_port()
url = f"http://{host}:{port}"
# Until IAM is enforced, any key works.
made_by = {
    "endpoint_url": url,
    "region_name": "us-east-1",
    "aws_access_key_id": "testing",
    "aws_secret_access_key": "testing",
}
iam = boto3.client("iam", **made_by)
boto3.client("s3", **made_by).create_bucket(Bucket="work-logs")


def document(**statement):
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]})


user = iam.create_user(UserName="jan")["User"]["Arn"]
may_assume = document(Action="sts:AssumeRole", Resource="*")
iam.put_user_policy(UserName="jan", PolicyName="assume", PolicyDocument=may_assume)
may_look = document(Action=["iam:Get*", "iam:List*"], Resource="*")
iam.put_user_policy(UserName="jan", PolicyName="look", PolicyDocument=may_look)
serial = iam.create_virtual_mfa_device(VirtualMFADeviceName="jan")["VirtualMFADevice"]["SerialNumber"]
codes = {"AuthenticationCode1": "123456", "AuthenticationCode2": "654321"}
iam.enable_mfa_device(UserName="jan", SerialNumber=serial, **codes)
iam.create_group(GroupName="ops")
iam.add_user_to_group(GroupName="ops", UserName="jan")
every = document(Action="s3:ListBucket", Resource="arn:aws:s3:::work-*")
every = iam.create_policy(PolicyName="every", PolicyDocument=every)["Policy"]["Arn"]
iam.attach_group_policy(GroupName="ops", PolicyArn=every)
iam.create_account_alias(AccountAlias="acme")
key = iam.create_access_key(UserName="jan")["AccessKey"]
may_list = document(Action=["s3:ListAllMyBuckets", "s3:ListBucket"], Resource="*")
stranger = user.replace("user/jan", "user/somebody-else")
outside = {"Condition": {"StringEquals": {"sts:ExternalId": "e-1"}}}
for name, who, condition in [("reader", user, {}), ("stranger", stranger, {}), ("outside", user, outside)]:
    trust = document(Action="sts:AssumeRole", Principal={"AWS": who}, **condition)
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust, MaxSessionDuration=7200)
    iam.put_role_policy(RoleName=name, PolicyName="list", PolicyDocument=may_list)

settings.INITIAL_NO_AUTH_ACTION_COUNT = 0
print(json.dumps({"url": url, "id": key["AccessKeyId"], "secret": key["SecretAccessKey"]}), flush=True)
sys.stdin.read()
server.stop()
