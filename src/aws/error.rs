//! What AWS answers instead of a result, in one line: the request, the code, the words, and a hint.

use crate::Error;
use crate::modules::Failure;
use crate::value::{Map, Value};
use aws_sdk_ec2::error::{ConnectorError, ProvideErrorMetadata, SdkError};
use aws_sdk_ec2::operation::RequestId;

/// A request that did not succeed.
#[derive(Debug, Clone, Default)]
pub struct Refusal {
    /// The service and the request, as IAM policies name it: `ec2:RunInstances`.
    pub request: String,
    /// AWS's error code; empty if there was no answer.
    pub code: String,
    /// AWS's words, or why there was no answer.
    pub message: String,
    pub request_id: Option<String>,
}

impl Refusal {
    /// From the SDK's error for the request of this name.
    pub fn new<E>(request: &str, error: SdkError<E>) -> Refusal
    where
        E: ProvideErrorMetadata + RequestId + std::error::Error + 'static,
        SdkError<E>: RequestId,
    {
        let refusal = Refusal {
            request: request.to_string(),
            request_id: error.request_id().map(str::to_string),
            ..Refusal::default()
        };
        match &error {
            SdkError::ServiceError(e) => {
                let status = e.raw().status().as_u16();
                Refusal {
                    code: e
                        .err()
                        .code()
                        .map_or_else(|| format!("HTTP {status}"), str::to_string),
                    message: e.err().message().unwrap_or("").trim().replace('\n', " "),
                    ..refusal
                }
            }
            SdkError::TimeoutError(_) => Refusal {
                message: "no answer in time".into(),
                ..refusal
            },
            SdkError::DispatchFailure(e) => Refusal {
                message: match e.as_connector_error() {
                    Some(e) if nobody_there(e) => {
                        format!("cannot connect to the endpoint: {}", root_cause(e))
                    }
                    Some(e) => format!("the connection failed: {}", one_line(e)),
                    None => one_line(&error),
                },
                ..refusal
            },
            SdkError::ResponseError(e) => Refusal {
                message: format!(
                    "the endpoint's answer (HTTP {}) is not one of AWS",
                    e.raw().status().as_u16()
                ),
                ..refusal
            },
            other => Refusal {
                message: one_line(other),
                ..refusal
            },
        }
    }

    /// Whether the code says that the thing asked for does not exist.
    pub fn is_not_found(&self) -> bool {
        self.code.ends_with(".NotFound")
            || self.code.ends_with("NotFoundException")
            || matches!(
                self.code.as_str(),
                "NatGatewayNotFound"
                    | "LoadBalancerNotFound"
                    | "AccessPointNotFound"
                    | "InvalidAssociationID.NotFound"
                    | "InvalidRouteTableId.NotFound"
            )
    }

    pub fn is(&self, code: &str) -> bool {
        self.code == code
    }

    /// What the user can do about it, for the codes that have an answer.
    fn hint(&self) -> Option<&'static str> {
        if self.code.is_empty() {
            return self.message.starts_with("cannot connect").then_some(
                "is the endpoint down? look at endpoint_url, AWS_ENDPOINT_URL, the region's name and the network",
            );
        }
        HINTS
            .iter()
            .find(|(codes, _)| codes.contains(&self.code.as_str()))
            .map(|(_, hint)| *hint)
    }
}

static HINTS: &[(&[&str], &str)] = &[
    (
        &[
            "UnauthorizedOperation",
            "AccessDenied",
            "AccessDeniedException",
        ],
        "the IAM policy of these credentials does not allow this request",
    ),
    (
        &[
            "AuthFailure",
            "InvalidClientTokenId",
            "InvalidAccessKeyId",
            "SignatureDoesNotMatch",
            "UnrecognizedClientException",
        ],
        "the access key is unknown, disabled, or does not go with the secret key; or the region is not enabled for the account",
    ),
    (
        &["RequestExpired", "ExpiredToken", "ExpiredTokenException"],
        "the session token has expired, or this machine's clock is wrong",
    ),
    (
        &[
            "OptInRequired",
            "PendingVerification",
            "SubscriptionRequiredException",
        ],
        "the account must first be signed up for this service or image in the AWS console",
    ),
    (
        &[
            "VcpuLimitExceeded",
            "InstanceLimitExceeded",
            "VpcLimitExceeded",
            "AddressLimitExceeded",
            "NatGatewayLimitExceeded",
            "InternetGatewayLimitExceeded",
            "SecurityGroupLimitExceeded",
            "TooManyLoadBalancers",
        ],
        "the account's quota in this region is used up: delete what is not needed, or ask for more under Service Quotas",
    ),
    (
        &["InsufficientInstanceCapacity"],
        "AWS has no such instance left in this zone: try another zone or instance type",
    ),
    (
        &["DependencyViolation", "ResourceInUse"],
        "something still uses it: remove instances, network interfaces, gateways and groups that refer to it first",
    ),
    (
        &["InvalidKeyPair.NotFound"],
        "key pairs belong to a region: create it there (ec2_key), or correct key_name",
    ),
    (
        &[
            "InvalidAMIID.NotFound",
            "InvalidAMIID.Malformed",
            "InvalidAMIID.Unavailable",
        ],
        "image ids differ by region: look one up with ec2_ami_info",
    ),
    (
        &["Unsupported", "InvalidInstanceType"],
        "the instance type may not exist in this zone, or not go with the image: try another",
    ),
    (
        &["InvalidSubnet.Conflict", "InvalidSubnet.Range"],
        "the subnet's range must lie in the VPC's and not overlap another subnet's",
    ),
    (
        &["InvalidParameterCombination"],
        "two of the options exclude each other",
    ),
    (
        &["CertificateNotFound"],
        "ssl_certificate_id must be the ARN of a certificate in IAM, or in ACM in the same region",
    ),
    (&["DryRunOperation"], "the request would have been allowed"),
    (
        &[
            "Throttling",
            "ThrottlingException",
            "RequestLimitExceeded",
            "TooManyRequestsException",
        ],
        "AWS still throttles after several attempts: run with fewer forks, or later",
    ),
];

/// `ec2:RunInstances failed: Code: words (hint)`.
impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} failed", self.request)?;
        if !self.code.is_empty() {
            write!(f, ": {}", self.code)?;
        }
        if !self.message.is_empty() {
            write!(f, ": {}", self.message.trim_end_matches('.'))?;
        }
        match self.hint() {
            Some(hint) => write!(f, " ({hint})"),
            None => Ok(()),
        }
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Failure {
        let mut failure = Failure::new(refusal.to_string());
        if !refusal.code.is_empty() {
            let mut error = Map::default();
            error.insert("code".into(), Value::from(refusal.code));
            error.insert("message".into(), Value::from(refusal.message));
            failure.fields.insert("error".into(), Value::map(error));
        }
        if let Some(id) = refusal.request_id {
            let mut metadata = Map::default();
            metadata.insert("request_id".into(), Value::from(id));
            failure
                .fields
                .insert("response_metadata".into(), Value::map(metadata));
        }
        failure
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Error {
        Error::general(refusal.to_string())
    }
}

/// Whether a connection was refused or a host name does not exist: nothing that passes by itself.
pub fn nobody_there(error: &ConnectorError) -> bool {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(e) = cause {
        if e.downcast_ref::<std::io::Error>().is_some_and(|e| {
            e.kind() == std::io::ErrorKind::ConnectionRefused
                || e.to_string().contains("lookup address")
        }) || e.to_string().contains("dns error")
        {
            return true;
        }
        cause = e.source();
    }
    false
}

/// The innermost cause, which says most.
fn root_cause(error: &(dyn std::error::Error + 'static)) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string().replace('\n', " ")
}

/// An error and its causes in one line.
pub fn one_line(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let words = inner.to_string();
        if !text.contains(&words) {
            text.push_str(": ");
            text.push_str(&words);
        }
        cause = inner.source();
    }
    text.replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_one_line_with_request_code_and_hint() {
        let refusal = Refusal {
            request: "ec2:RunInstances".into(),
            code: "InvalidKeyPair.NotFound".into(),
            message: "The key pair 'x' does not exist.".into(),
            request_id: Some("req-1".into()),
        };
        assert_eq!(
            refusal.to_string(),
            "ec2:RunInstances failed: InvalidKeyPair.NotFound: The key pair 'x' does not exist (key pairs belong to a region: create it there (ec2_key), or correct key_name)"
        );
        assert!(refusal.is_not_found());
        let failure = Failure::from(refusal);
        assert_eq!(
            failure.fields["error"].get("code"),
            Some(&Value::str("InvalidKeyPair.NotFound"))
        );
    }
}
