//! Connections to AWS: one runtime, and one set of clients per account, region and endpoint.

use super::boto;
use super::settings::{Env, Settings};
use crate::Error;
use aws_config::SdkConfig;
use aws_config::ecs::EcsCredentialsProvider;
use aws_config::imds;
use aws_config::meta::credentials::CredentialsProviderChain;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::profile::region::ProfileFileRegionProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::web_identity_token::WebIdentityTokenCredentialsProvider;
use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_ec2::config::interceptors::InterceptorContext;
use aws_sdk_ec2::config::retry::{ClassifyRetry, RetryAction, RetryConfig};
use aws_sdk_ec2::config::timeout::TimeoutConfig;
use aws_sdk_ec2::config::{
    BehaviorVersion, Credentials, ProvideCredentials, Region, SharedCredentialsProvider,
};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

/// Throttling and server errors are tried this often before they reach the user.
const ATTEMPTS: u32 = 10;

/// The instance metadata service answers at once or not at all; a laptop must not wait for it.
const METADATA_TIMEOUT: Duration = Duration::from_millis(700);

/// An account in a region. Clients are made when first asked for.
pub struct Aws {
    config: SdkConfig,
    region: String,
    ec2: OnceLock<aws_sdk_ec2::Client>,
    elb: OnceLock<aws_sdk_elasticloadbalancing::Client>,
}

/// Waits for a request. The only place where the AWS SDK's futures run.
pub fn block_on<F: Future>(future: F) -> F::Output {
    static RUNTIME: OnceLock<tokio::runtime::Runtime> = OnceLock::new();
    RUNTIME
        .get_or_init(|| {
            tokio::runtime::Builder::new_multi_thread()
                .worker_threads(2)
                .enable_all()
                .thread_name("aws")
                .build()
                .expect("threads can be started")
        })
        .block_on(future)
}

impl Aws {
    /// The connection that `settings` and the environment mean.
    ///
    /// Sends nothing to AWS itself; at most asks the container's or instance's metadata service.
    /// Errors if there are no credentials or no region, saying where they were looked for.
    pub fn connect(settings: Settings, env: Env) -> Result<Arc<Aws>, Error> {
        static OPEN: Mutex<Option<HashMap<Settings, Arc<Aws>>>> = Mutex::new(None);
        let settings = settings.with_env(env);
        // held while connecting: hosts that start together ask the metadata service once
        let mut open = OPEN.lock().unwrap_or_else(|e| e.into_inner());
        let open = open.get_or_insert_default();
        // variables that Settings does not hold can differ between tasks
        let key = Settings {
            endpoint_url: settings
                .endpoint_url
                .clone()
                .or_else(|| env("AWS_ENDPOINT_URL").filter(|u| !u.is_empty())),
            ..settings.clone()
        };
        if let Some(aws) = open.get(&key) {
            return Ok(Arc::clone(aws));
        }
        let aws = Arc::new(block_on(Aws::load(settings, env))?);
        open.insert(key, Arc::clone(&aws));
        Ok(aws)
    }

    async fn load(settings: Settings, env: Env<'_>) -> Result<Aws, Error> {
        let boto = boto::load(env);
        let metadata = imds::Client::builder()
            .max_attempts(1)
            .connect_timeout(METADATA_TIMEOUT)
            .read_timeout(METADATA_TIMEOUT)
            .operation_timeout(METADATA_TIMEOUT * 3)
            .build();
        let region = match &settings.region {
            Some(region) => region.clone(),
            None => find_region(&settings, &boto, &metadata).await?,
        };
        let credentials = find_credentials(&settings, boto, metadata, &region, env).await?;

        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .region(Region::new(region.clone()))
            .credentials_provider(credentials)
            .retry_config(
                RetryConfig::standard()
                    .with_max_attempts(ATTEMPTS)
                    .with_initial_backoff(Duration::from_millis(500)),
            )
            .timeout_config(
                TimeoutConfig::builder()
                    .connect_timeout(Duration::from_secs(10))
                    .read_timeout(Duration::from_secs(60))
                    .build(),
            );
        if let Some(profile) = &settings.profile {
            loader = loader.profile_name(profile);
        }
        // AWS_ENDPOINT_URL of the process is left to the SDK: it knows the variable per service too
        let own = env("AWS_ENDPOINT_URL").filter(|url| {
            !url.is_empty() && std::env::var("AWS_ENDPOINT_URL").ok().as_ref() != Some(url)
        });
        if let Some(url) = settings.endpoint_url.or(own) {
            loader = loader.endpoint_url(url);
        }
        Ok(Aws {
            config: loader.load().await,
            region,
            ec2: OnceLock::new(),
            elb: OnceLock::new(),
        })
    }

    /// The name of the region that requests go to.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// The same account in another region.
    pub fn in_region(&self, region: &str) -> Aws {
        Aws {
            config: self
                .config
                .to_builder()
                .region(Region::new(region.to_string()))
                .build(),
            region: region.to_string(),
            ec2: OnceLock::new(),
            elb: OnceLock::new(),
        }
    }

    /// The client of EC2 and VPC.
    pub fn ec2(&self) -> &aws_sdk_ec2::Client {
        self.ec2.get_or_init(|| {
            let config = aws_sdk_ec2::config::Builder::from(&self.config)
                .retry_classifier(NobodyThere)
                .build();
            aws_sdk_ec2::Client::from_conf(config)
        })
    }

    /// The client of classic load balancers.
    pub fn elb(&self) -> &aws_sdk_elasticloadbalancing::Client {
        self.elb.get_or_init(|| {
            let config = aws_sdk_elasticloadbalancing::config::Builder::from(&self.config)
                .retry_classifier(NobodyThere)
                .build();
            aws_sdk_elasticloadbalancing::Client::from_conf(config)
        })
    }
}

/// The region where neither arguments nor variables name one.
async fn find_region(
    settings: &Settings,
    boto: &boto::BotoFile,
    metadata: &imds::Client,
) -> Result<String, Error> {
    use aws_config::meta::region::ProvideRegion;
    let mut profile = ProfileFileRegionProvider::builder();
    if let Some(name) = &settings.profile {
        profile = profile.profile_name(name);
    }
    if let Some(region) = profile.build().region().await {
        return Ok(region.to_string());
    }
    if let Some(region) = &boto.region {
        return Ok(region.clone());
    }
    let instance = imds::region::ImdsRegionProvider::builder()
        .imds_client(metadata.clone())
        .build();
    if let Some(region) = instance.region().await {
        return Ok(region.to_string());
    }
    Err(
        Error::general("No AWS region: the option region is not set, nor is AWS_REGION, AWS_DEFAULT_REGION, EC2_REGION, a region of the profile in ~/.aws/config, or of ~/.boto.")
            .hint("set `region: eu-west-1` on the task, or the variable AWS_REGION"),
    )
}

/// Who asks, in botocore's order: given keys, the SDK's files, boto's files, then the metadata services.
async fn find_credentials(
    settings: &Settings,
    boto: boto::BotoFile,
    metadata: imds::Client,
    region: &str,
    env: Env<'_>,
) -> Result<SharedCredentialsProvider, Error> {
    if let (Some(key), Some(secret)) = (&settings.access_key, &settings.secret_key) {
        let token = settings.session_token.clone();
        return Ok(SharedCredentialsProvider::new(Credentials::new(
            key, secret, token, None, "rplay",
        )));
    }
    let config = ProviderConfig::without_region().with_region(Some(Region::new(region.to_owned())));
    let mut profile = ProfileFileCredentialsProvider::builder().configure(&config);
    if let Some(name) = &settings.profile {
        profile = profile.profile_name(name);
    }
    let mut chain = CredentialsProviderChain::first_try("profile", profile.build());
    // who names a profile means that account and no other
    if settings.profile.is_none() {
        chain = chain.or_else(
            "web identity",
            WebIdentityTokenCredentialsProvider::builder()
                .configure(&config)
                .build(),
        );
        if let (Some(key), Some(secret)) = (boto.access_key, boto.secret_key) {
            chain = chain.or_else(
                "boto",
                Credentials::new(key, secret, boto.session_token, None, "boto"),
            );
        }
        chain = chain.or_else(
            "container",
            EcsCredentialsProvider::builder().configure(&config).build(),
        );
        if env("AWS_EC2_METADATA_DISABLED").is_none_or(|v| !v.eq_ignore_ascii_case("true")) {
            chain = chain.or_else(
                "instance",
                imds::credentials::ImdsCredentialsProvider::builder()
                    .configure(&config)
                    .imds_client(metadata)
                    .build(),
            );
        }
    }
    let provider = SharedCredentialsProvider::new(chain);
    match provider.provide_credentials().await {
        Ok(_) => Ok(provider),
        Err(e) => Err(no_credentials(settings, env, &e)),
    }
}

fn no_credentials(settings: &Settings, env: Env, cause: &CredentialsError) -> Error {
    let hint = "set the variables AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or write them to ~/.aws/credentials";
    let cause = match cause {
        CredentialsError::CredentialsNotLoaded(_) => None,
        other => Some(super::error::one_line(&other)),
    };
    let message = match (&settings.profile, cause) {
        (Some(profile), None) => format!(
            "No AWS credentials: the profile {profile} is not in ~/.aws/config or ~/.aws/credentials, or has no keys."
        ),
        (Some(profile), Some(cause)) => {
            format!("No AWS credentials from the profile {profile}: {cause}")
        }
        (None, cause) => {
            let boto: Vec<String> = boto::paths(env)
                .iter()
                .map(|p| p.display().to_string())
                .collect();
            let mut text = format!(
                "No AWS credentials: looked at the options access_key and secret_key, the variables AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (or EC2_ACCESS_KEY and EC2_SECRET_KEY), AWS_PROFILE, ~/.aws/credentials, ~/.aws/config, a web identity token, {}, and the metadata services of containers and instances.",
                boto.join(", ")
            );
            if let Some(cause) = cause {
                text.push_str(&format!(" The last one said: {cause}"));
            }
            text
        }
    };
    Error::general(message).hint(hint)
}

/// Where nobody listens, trying again only makes the user wait.
#[derive(Debug)]
struct NobodyThere;

impl ClassifyRetry for NobodyThere {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let refused = context
            .output_or_error()
            .and_then(|r| r.err())
            .and_then(|e| e.as_connector_error())
            .is_some_and(super::error::nobody_there);
        if refused {
            RetryAction::RetryForbidden
        } else {
            RetryAction::NoActionIndicated
        }
    }
    fn name(&self) -> &'static str {
        "nobody there"
    }
}
