"""Makes what must exist in an AWS account before the playbook runs, and prints it as `export` lines."""

import subprocess
import sys
import tempfile
from pathlib import Path

import boto3

KEY_PAIR = "demo"
BUCKET = "dcos-elb-logs"
REGION = "eu-west-1"


def certificate():
    """A self-signed certificate, imported: its ARN."""
    with tempfile.TemporaryDirectory() as folder:
        key, cert = Path(folder, "key.pem"), Path(folder, "cert.pem")
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", "/CN=dcos.example.com",
             "-keyout", key, "-out", cert],
            check=True, stderr=subprocess.DEVNULL,
        )
        acm = boto3.client("acm", region_name=REGION)
        return acm.import_certificate(Certificate=cert.read_bytes(), PrivateKey=key.read_bytes())["CertificateArn"]


def main():
    boto3.client("ec2", region_name=REGION).create_key_pair(KeyName=KEY_PAIR)
    boto3.client("s3", region_name=REGION).create_bucket(
        Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    print(f"export AWS_EC2_KEY_PAIR={KEY_PAIR}")
    print(f"export AWS_EC2_LB_CERT={certificate()}")
    print(f"export AWS_S3_ELB_LOGS_BUCKET_NAME={BUCKET}")


if __name__ == "__main__":
    sys.exit(main())
