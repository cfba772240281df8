//! What goes wrong between rplay and AWS, each in one line that says what to do.

use super::Account;
use rplay::aws::Aws;
use rplay::aws::modules::nat_gateway::VpcNatGateway;
use rplay::aws::modules::subnet::VpcSubnetInfo;
use rplay::aws::modules::tag::Ec2Tag;
use rplay::aws::plan::perform;
use rplay::aws::settings::Settings;
use rplay::machine::Mode;
use rplay::value::{Map, Value};
use serde_json::json;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A server that answers each request with the next of `answers`, and the last one for ever.
///
/// Gives its address and the count of requests.
fn server(answers: Vec<(u16, String)>) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let mut length = 0;
            let mut line = String::new();
            while reader.read_line(&mut line).is_ok_and(|n| n > 0) && line != "\r\n" {
                if let Some((name, value)) = line.split_once(':')
                    && name.eq_ignore_ascii_case("content-length")
                {
                    length = value.trim().parse().unwrap();
                }
                line.clear();
            }
            std::io::copy(&mut reader.take(length), &mut std::io::sink()).unwrap();
            let index = counted
                .fetch_add(1, Ordering::SeqCst)
                .min(answers.len() - 1);
            let (status, body) = &answers[index];
            let _ = write!(
                stream,
                "HTTP/1.1 {status} X\r\ncontent-type: text/xml\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                body.len()
            );
        }
    });
    (address, count)
}

fn error(code: &str, message: &str) -> String {
    format!(
        "<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors><RequestID>req-1</RequestID></Response>"
    )
}

const NO_SUBNETS: &str = "<DescribeSubnetsResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\"><requestId>r</requestId><subnetSet/></DescribeSubnetsResponse>";

#[test]
fn aws_refuses() {
    for (status, code, message, wanted) in [
        (
            403,
            "UnauthorizedOperation",
            "You are not authorized to perform this operation.\nEncoded authorization failure message: xyz",
            "ec2:DescribeSubnets failed: UnauthorizedOperation: You are not authorized to perform this operation. Encoded authorization failure message: xyz (the IAM policy of these credentials does not allow this request)",
        ),
        (
            401,
            "AuthFailure",
            "AWS was not able to validate the provided access credentials",
            "ec2:DescribeSubnets failed: AuthFailure: AWS was not able to validate the provided access credentials (the access key is unknown, disabled, or does not go with the secret key; or the region is not enabled for the account)",
        ),
        (
            400,
            "SomethingNew",
            "Words.",
            "ec2:DescribeSubnets failed: SomethingNew: Words",
        ),
    ] {
        let (address, count) = server(vec![(status, error(code, message))]);
        let refused = Account::at(&address).refused::<VpcSubnetInfo>(json!({}));
        assert_eq!(refused, wanted);
        assert_eq!(count.load(Ordering::SeqCst), 1, "{code} is not tried again");
        assert!(!refused.contains("hush-hush"));
    }
}

#[test]
fn throttling_and_server_errors_are_tried_again() {
    let (address, count) = server(vec![
        (
            503,
            error("RequestLimitExceeded", "Request limit exceeded."),
        ),
        (
            500,
            error("InternalError", "An internal error has occurred"),
        ),
        (200, NO_SUBNETS.into()),
    ]);
    let found = Account::at(&address).ok::<VpcSubnetInfo>(json!({}));
    assert_eq!(found["subnets"], json!([]));
    assert_eq!(count.load(Ordering::SeqCst), 3);
}

#[test]
fn pages_are_followed() {
    let page = |id: &str, next: &str| {
        (
            200,
            format!(
                "<DescribeSubnetsResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\"><requestId>r</requestId><subnetSet><item><subnetId>{id}</subnetId></item></subnetSet>{next}</DescribeSubnetsResponse>"
            ),
        )
    };
    let (address, _) = server(vec![
        page("subnet-1", "<nextToken>more</nextToken>"),
        page("subnet-2", ""),
    ]);
    let found = Account::at(&address).ok::<VpcSubnetInfo>(json!({}));
    assert_eq!(found["subnets"][0]["id"], "subnet-1");
    assert_eq!(found["subnets"][1]["id"], "subnet-2");
}

#[test]
fn nobody_listens() {
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let start = std::time::Instant::now();
    let refused =
        Account::at(&format!("http://127.0.0.1:{port}")).refused::<VpcSubnetInfo>(json!({}));
    assert!(
        refused.starts_with("ec2:DescribeSubnets failed: cannot connect to the endpoint: ")
            && refused.contains("is the endpoint down?"),
        "{refused}"
    );
    assert!(start.elapsed().as_secs() < 5);
}

#[test]
fn something_else_listens() {
    let (address, _) = server(vec![(200, "<html>hello</html>".into())]);
    let refused = Account::at(&address).refused::<VpcSubnetInfo>(json!({}));
    assert!(
        refused.starts_with("ec2:DescribeSubnets failed: "),
        "{refused}"
    );
    assert!(!refused.contains('\n'));
}

/// An environment without credentials and files.
fn bare(name: &str) -> Option<String> {
    match name {
        "AWS_EC2_METADATA_DISABLED" => Some("true".into()),
        "BOTO_CONFIG" => Some("/nonexistent/boto".into()),
        _ => None,
    }
}

#[test]
fn no_credentials_and_no_region() {
    let settings = Settings {
        region: Some("eu-west-1".into()),
        profile: Some("rplay-test-nobody".into()),
        ..Settings::default()
    };
    let refused = Aws::connect(settings, &bare).err().expect("no credentials");
    assert!(
        refused.message().starts_with("No AWS credentials"),
        "{refused}"
    );
    assert!(refused.message().contains("rplay-test-nobody"), "{refused}");

    let half = perform::<VpcSubnetInfo>(
        Map::from_iter([("access_key".into(), Value::str("AKIA"))]),
        Mode::default(),
        &[],
    );
    let message = half.get("msg").and_then(Value::as_str).unwrap();
    assert_eq!(
        message,
        "access_key was given without secret_key: AWS needs both"
    );
}

#[test]
fn keys_of_boto_and_of_the_task_environment() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("boto");
    std::fs::write(&file, "[Credentials]\naws_access_key_id = AKIA\naws_secret_access_key = hush\n[Boto]\nec2_region_name = eu-west-1\n").unwrap();
    let (address, count) = server(vec![(200, NO_SUBNETS.into())]);
    let environment = [
        ("BOTO_CONFIG".to_string(), file.display().to_string()),
        ("EC2_URL".to_string(), address.clone()),
        ("AWS_EC2_METADATA_DISABLED".to_string(), "true".to_string()),
        ("AWS_REGION".to_string(), "eu-west-1".to_string()),
        ("EC2_ACCESS_KEY".to_string(), "AKIA2".to_string()),
        ("EC2_SECRET_KEY".to_string(), "hush".to_string()),
    ];
    let found = perform::<VpcSubnetInfo>(Map::default(), Mode::default(), &environment);
    assert!(!found.is_failed(), "{:?}", found.get("msg"));
    assert_eq!(count.load(Ordering::SeqCst), 1);
}

#[test]
fn arguments_are_checked_before_anything_is_asked() {
    let a = Account::at("http://127.0.0.1:1");
    let missing = a.refused::<Ec2Tag>(json!({"tags": {"a": "b"}}));
    assert_eq!(missing, "missing required arguments: resource");
    let unknown = a.refused::<Ec2Tag>(json!({"resource": "i-1", "tag": {"a": "b"}}));
    assert!(
        unknown.starts_with("Unsupported parameters for (ec2_tag) module: tag."),
        "{unknown}"
    );
    let wrong = a
        .refused::<Ec2Tag>(json!({"resource": "i-1", "tags": {"a": "b"}, "purge_tags": "perhaps"}));
    assert!(wrong.contains("purge_tags"), "{wrong}");
    let state = a.refused::<Ec2Tag>(json!({"resource": "i-1", "state": "gone"}));
    assert!(
        state.starts_with("value of state must be one of: "),
        "{state}"
    );
}

#[test]
fn waiting_ends_when_it_is_there_has_failed_or_takes_too_long() {
    let gateway = |state: &str, more: &str| {
        (
            200,
            format!(
                "<DescribeNatGatewaysResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\"><requestId>r</requestId><natGatewaySet><item><natGatewayId>nat-1</natGatewayId><state>{state}</state>{more}</item></natGatewaySet></DescribeNatGatewaysResponse>"
            ),
        )
    };
    let args = json!({"subnet_id": "subnet-1", "if_exist_do_not_create": true, "wait": true, "wait_timeout": 1});
    let pending = || gateway("pending", "");

    let (address, count) = server(vec![pending(), pending(), gateway("available", "")]);
    let found = Account::at(&address).ok::<VpcNatGateway>(args.clone());
    assert_eq!(
        (&found["state"], &found["changed"]),
        (&json!("available"), &json!(false))
    );
    assert_eq!(count.load(Ordering::SeqCst), 3);

    let why = "<failureCode>InsufficientFreeAddressesInSubnet</failureCode><failureMessage>Subnet is full</failureMessage>";
    let (address, _) = server(vec![pending(), gateway("failed", why)]);
    assert_eq!(
        Account::at(&address).refused::<VpcNatGateway>(args.clone()),
        "NAT gateway nat-1 failed: InsufficientFreeAddressesInSubnet: Subnet is full"
    );

    let (address, _) = server(vec![pending()]);
    assert_eq!(
        Account::at(&address).refused::<VpcNatGateway>(args),
        "Timed out after 1 seconds waiting for NAT gateway nat-1 to be available"
    );
}
