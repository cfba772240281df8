"""Makes what must exist in an AWS account before the playbook runs, and prints it as `export` lines."""

from datetime import datetime, timedelta, timezone

import boto3
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

REGION = "eu-west-1"
KEY_PAIR = "demo"
BUCKET = "dcos-elb-logs"


def certificate():
    """A self-signed certificate for the load balancer, imported: its ARN."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "dcos.example.com")])
    now = datetime.now(timezone.utc)
    cert = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=30))
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(
        pem, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    acm = boto3.client("acm", region_name=REGION)
    return acm.import_certificate(Certificate=cert.public_bytes(pem), PrivateKey=private)["CertificateArn"]


def main():
    boto3.client("ec2", region_name=REGION).create_key_pair(KeyName=KEY_PAIR)
    boto3.client("s3", region_name=REGION).create_bucket(
        Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    print(f"export AWS_EC2_KEY_PAIR={KEY_PAIR}")
    print(f"export AWS_EC2_LB_CERT={certificate()}")
    print(f"export AWS_S3_ELB_LOGS_BUCKET_NAME={BUCKET}")


if __name__ == "__main__":
    main()
