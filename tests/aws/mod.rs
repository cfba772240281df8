//! The AWS modules against moto, a server that plays AWS.
//!
//! Each test has a region of its own, which is an account of its own for all that is tested here.
//! The server is moto in the Python environment that `$RPLAY_MOTO_SERVER` (a `moto_server`) belongs to, or else
//! in that of `python3` (pip install 'moto[server]').

mod classic_lb;
mod cli;
mod ec2;
mod instance;
mod inventory;
mod key_eip_ami;
mod legacy;
mod refusals;
mod security_group;
mod vpc;

use rplay::aws::plan::{AwsModule, perform};
use rplay::machine::Mode;
use rplay::value::Value;
use serde_json::{Value as Json, json};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// The address of the server, started with the first test and ended with the last.
pub fn moto() -> &'static str {
    static SERVER: OnceLock<(String, Child)> = OnceLock::new();
    let (url, _) = SERVER.get_or_init(|| {
        let python = std::env::var("RPLAY_MOTO_SERVER").map_or_else(
            |_| "python3".into(),
            |server| std::path::Path::new(&server).with_file_name("python"),
        );
        let python = python.display();
        let program = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/e2e/moto_server.py");
        let port = TcpListener::bind("127.0.0.1:0")
            .and_then(|l| l.local_addr())
            .expect("a free port")
            .port();
        // the shell ends the server when this process, its parent, is gone
        let script = format!(
            "'{python}' '{program}' -p {port} & server=$!; while kill -0 {} 2>/dev/null; do sleep 1; done; kill $server",
            std::process::id()
        );
        let server = Command::new("sh")
            .args(["-c", &script])
            // as AWS does, and moto only if told to
            .env("MOTO_ENABLE_KEYPAIR_VALIDATION", "true")
            .env("MOTO_ENABLE_AMI_VALIDATION", "true")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("sh can be started");
        let start = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(
                start.elapsed() < Duration::from_secs(60),
                "moto did not start with {python}: pip install 'moto[server]' boto3, or set RPLAY_MOTO_SERVER"
            );
            std::thread::sleep(Duration::from_millis(50));
        }
        (format!("http://127.0.0.1:{port}"), server)
    });
    url
}

/// An account to run modules in.
pub struct Account {
    region: &'static str,
    endpoint: String,
}

impl Account {
    pub fn new(region: &'static str) -> Account {
        Account {
            region,
            endpoint: moto().to_string(),
        }
    }

    /// An account whose requests go to another server.
    pub fn at(endpoint: &str) -> Account {
        Account {
            region: "eu-west-1",
            endpoint: endpoint.to_string(),
        }
    }

    fn run<M: AwsModule>(&self, mut args: Json, mode: Mode) -> Json {
        args["region"] = json!(self.region);
        args["access_key"] = json!("AKIATEST");
        args["secret_key"] = json!("hush-hush");
        args["endpoint_url"] = json!(self.endpoint);
        let Value::Map(map) = Value::from_json(args) else {
            panic!("arguments are a mapping");
        };
        perform::<M>((*map).clone(), mode, &[]).to_value().to_json()
    }

    /// Runs and expects success.
    pub fn ok<M: AwsModule>(&self, args: Json) -> Json {
        let result = self.run::<M>(args.clone(), Mode::default());
        assert_ne!(result["failed"], json!(true), "{args}: {}", result["msg"]);
        result
    }

    /// Runs and expects failure; gives the message.
    pub fn refused<M: AwsModule>(&self, args: Json) -> String {
        let result = self.run::<M>(args, Mode::default());
        assert_eq!(result["failed"], json!(true), "{result}");
        result["msg"].as_str().expect("a message").to_string()
    }

    /// Runs in check mode and expects success.
    pub fn check<M: AwsModule>(&self, args: Json) -> Json {
        let mode = Mode {
            check: true,
            diff: true,
        };
        let result = self.run::<M>(args.clone(), mode);
        assert_ne!(result["failed"], json!(true), "{args}: {}", result["msg"]);
        result
    }

    /// What every change must do: check mode predicts it and performs nothing, then it changes, then it does not.
    pub fn change<M: AwsModule>(&self, args: Json) -> Json {
        for _ in 0..2 {
            let predicted = self.check::<M>(args.clone());
            assert_eq!(
                predicted["changed"],
                json!(true),
                "check mode: {args}: {predicted}"
            );
        }
        let first = self.ok::<M>(args.clone());
        assert_eq!(first["changed"], json!(true), "{args}: {first}");
        self.same::<M>(args);
        first
    }

    /// Runs and expects that nothing is to do, in check mode too.
    pub fn same<M: AwsModule>(&self, args: Json) -> Json {
        let checked = self.check::<M>(args.clone());
        assert_eq!(
            checked["changed"],
            json!(false),
            "check mode: {args}: {checked}"
        );
        let again = self.ok::<M>(args.clone());
        assert_eq!(again["changed"], json!(false), "{args}: {again}");
        again
    }
}
