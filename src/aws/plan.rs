//! What one run of an AWS module may do: reads always happen, changes only outside check mode.

use super::error::Refusal;
use super::settings::Settings;
use super::types::{Json, Tags};
use super::{Aws, block_on};
use crate::actions::{Context, Entry};
use crate::machine::Mode;
use crate::modules::{Failure, args};
use crate::result::TaskResult;
use crate::value::{Key, Map, Value};
use aws_sdk_ec2::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_ec2::operation::RequestId;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// How long AWS may take to show everywhere what was just created.
const SETTLE: Duration = Duration::from_secs(60);

/// A module that talks to AWS from the controller.
pub trait AwsModule {
    /// All names: bare, fully qualified, and old ones.
    const NAMES: &'static [&'static str];
    /// Doc comments are the options' documentation. The connection options are not among them.
    type Args: serde::de::DeserializeOwned + schemars::JsonSchema + 'static;
    /// Errors are what AWS refused, or options that do not go together.
    fn run(args: Self::Args, plan: &mut Plan) -> Result<TaskResult, Failure>;
}

/// The line of the table for a module.
pub const fn entry<M: AwsModule>() -> Entry {
    Entry {
        names: M::NAMES,
        run: start::<M>,
    }
}

fn start<M: AwsModule>(args: Map, context: &mut Context<'_>) -> TaskResult {
    perform::<M>(args, context.mode, &context.environment)
}

/// Runs a module with rendered arguments; `environment` is the task's.
pub fn perform<M: AwsModule>(
    mut map: Map,
    mode: Mode,
    environment: &[(String, String)],
) -> TaskResult {
    let env = |name: &str| {
        environment
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.clone())
            .or_else(|| std::env::var(name).ok())
    };
    let outcome = Settings::take(&mut map)
        .map_err(failure)
        .and_then(|settings| {
            let parsed = args::parse_all::<M::Args>(M::NAMES[0], map)?;
            for warning in parsed.warnings {
                crate::notice::warning(warning);
            }
            let aws = Aws::connect(settings, &env).map_err(failure)?;
            M::run(parsed.args, &mut Plan::new(aws, mode))
        });
    outcome.unwrap_or_else(|failure| {
        let mut result = TaskResult::failed(failure.msg).with("changed", false);
        for (key, value) in failure.fields {
            result.fields.insert(key, value);
        }
        result
    })
}

fn failure(error: crate::Error) -> Failure {
    match error.hint_text() {
        Some(hint) => {
            let message = error.message().trim_end_matches('.');
            Failure::new(format!("{message} ({hint})"))
        }
        None => Failure::new(error.message()),
    }
}

/// Fails the task with these words.
pub fn fail<T>(words: impl Into<String>) -> Result<T, Failure> {
    Err(Failure::new(words))
}

/// What a successful request must answer. Errors if it does not.
pub fn answered<T>(request: &str, part: Option<T>) -> Result<T, Failure> {
    part.ok_or_else(|| Failure::new(format!("{request}: the endpoint's answer is incomplete")))
}

/// The id that a resource has in check mode, before AWS has given it one.
pub fn planned_id(prefix: &str) -> String {
    format!("{prefix}-known-after-apply")
}

/// Whether an id is one of [`planned_id`]: nothing can be asked about it.
pub fn is_planned(id: &str) -> bool {
    id.ends_with("-known-after-apply")
}

/// What this process has created lately, with the time until which AWS may not know it everywhere.
static CREATED: Mutex<Vec<(String, Instant)>> = Mutex::new(Vec::new());

/// Remembers that AWS has just given this id.
pub fn note_created(id: &str) {
    let mut created = CREATED.lock().unwrap_or_else(|e| e.into_inner());
    let now = Instant::now();
    created.retain(|(_, until)| *until > now);
    created.push((id.to_string(), now + SETTLE));
}

/// Whether AWS misses what it has just created.
fn is_settling(refusal: &Refusal) -> bool {
    let created = CREATED.lock().unwrap_or_else(|e| e.into_inner());
    refusal.is_not_found()
        && created
            .iter()
            .any(|(id, until)| *until > Instant::now() && refusal.message.contains(id.as_str()))
}

/// The requests of one module run, and whether any of them changed something.
pub struct Plan {
    pub aws: Arc<Aws>,
    pub mode: Mode,
    changed: bool,
    diff: Option<(Json, Json)>,
}

impl Plan {
    pub fn new(aws: Arc<Aws>, mode: Mode) -> Plan {
        Plan {
            aws,
            mode,
            changed: false,
            diff: None,
        }
    }

    pub fn ec2(&self) -> aws_sdk_ec2::Client {
        self.aws.ec2().clone()
    }

    pub fn elb(&self) -> aws_sdk_elasticloadbalancing::Client {
        self.aws.elb().clone()
    }

    /// Nothing is performed.
    pub fn check(&self) -> bool {
        self.mode.check
    }

    pub fn changed(&self) -> bool {
        self.changed
    }

    /// Asks AWS, in check mode too.
    pub fn read<T, E>(
        &self,
        request: &str,
        future: impl Future<Output = Result<T, SdkError<E>>>,
    ) -> Result<T, Refusal>
    where
        E: ProvideErrorMetadata + RequestId + std::error::Error + 'static,
    {
        let answer = match crate::deadline::left() {
            None => block_on(future),
            Some(left) => block_on(async {
                match tokio::time::timeout(left, future).await {
                    Ok(answer) => answer,
                    Err(e) => Err(SdkError::timeout_error(e)),
                }
            }),
        };
        answer.map_err(|e| Refusal::new(request, e))
    }

    /// Changes something: sends the request and notes the change; in check mode only notes it.
    pub fn change<T, E>(
        &mut self,
        request: &str,
        future: impl Future<Output = Result<T, SdkError<E>>>,
    ) -> Result<Option<T>, Refusal>
    where
        E: ProvideErrorMetadata + RequestId + std::error::Error + 'static,
    {
        self.changed = true;
        if self.mode.check {
            return Ok(None);
        }
        self.read(request, future).map(Some)
    }

    /// As [`Plan::change`], but tried again while AWS does not know everywhere what this run has just created.
    ///
    /// What some other hand made, or nobody, is refused at once.
    pub fn change_fresh<T, E, F>(
        &mut self,
        request: &str,
        mut future: impl FnMut() -> F,
    ) -> Result<Option<T>, Refusal>
    where
        E: ProvideErrorMetadata + RequestId + std::error::Error + 'static,
        F: Future<Output = Result<T, SdkError<E>>>,
    {
        self.changed = true;
        if self.mode.check {
            return Ok(None);
        }
        let mut pause = Pause::new(SETTLE);
        loop {
            match self.read(request, future()) {
                Err(refusal) if is_settling(&refusal) && pause.sleep() => {}
                other => return other.map(Some),
            }
        }
    }

    /// Looks again and again, less and less often, until `look` finds what is waited for.
    ///
    /// Something that AWS does not know (yet) is no error here. Errors if `timeout` passes:
    /// `what` completes "Timed out after 300 seconds waiting for ...".
    pub fn wait<T>(
        &self,
        what: &str,
        timeout: Duration,
        mut look: impl FnMut(&Plan) -> Result<Option<T>, Failure>,
    ) -> Result<T, Failure> {
        let mut pause = Pause::new(timeout);
        loop {
            if let Some(found) = look(self)? {
                return Ok(found);
            }
            if !pause.sleep() {
                return fail(format!(
                    "Timed out after {} seconds waiting for {what}",
                    timeout.as_secs()
                ));
            }
        }
    }

    /// Waits until something just created can be read.
    pub fn wait_visible<T>(
        &self,
        what: &str,
        mut look: impl FnMut(&Plan) -> Result<Option<T>, Refusal>,
    ) -> Result<T, Failure> {
        self.wait(what, SETTLE, |plan| match look(plan) {
            Err(refusal) if refusal.is_not_found() => Ok(None),
            other => Ok(other?),
        })
    }

    /// Notes what `--diff` shows.
    pub fn note_diff(&mut self, before: Json, after: Json) {
        if self.mode.diff && before != after {
            self.diff = Some((before, after));
        }
    }

    /// Makes an EC2 resource's tags the wanted ones. Gives the tags as they are then.
    pub fn sync_tags(
        &mut self,
        id: &str,
        current: &Tags,
        wanted: Option<&Tags>,
        purge: bool,
    ) -> Result<Tags, Failure> {
        let Some(wanted) = wanted else {
            return Ok(current.clone());
        };
        let (set, unset) = current.difference(wanted, purge);
        let mut now = current.clone();
        now.0.retain(|key, _| !unset.contains(key));
        let ec2 = self.ec2();
        if !unset.is_empty() {
            let keys: Vec<_> = unset
                .iter()
                .map(|key| aws_sdk_ec2::types::Tag::builder().key(key).build())
                .collect();
            self.change_fresh("ec2:DeleteTags", || {
                ec2.delete_tags()
                    .resources(id)
                    .set_tags(Some(keys.clone()))
                    .send()
            })?;
        }
        if !set.0.is_empty() {
            let tags = set.to_ec2();
            self.change_fresh("ec2:CreateTags", || {
                ec2.create_tags()
                    .resources(id)
                    .set_tags(Some(tags.clone()))
                    .send()
            })?;
            now.0.extend(set.0);
        }
        Ok(now)
    }

    /// The module's result: `changed`, these entries, and the difference if asked for.
    pub fn result(&self, entries: Json) -> TaskResult {
        let mut result = TaskResult::ok().with("changed", self.changed);
        if let Value::Map(map) = Value::from_json(entries) {
            for (key, value) in map.iter() {
                result.fields.insert(key.clone(), value.clone());
            }
        }
        if let Some((before, after)) = &self.diff {
            let mut diff = Map::default();
            diff.insert(Key::from("before"), Value::from_json(before.clone()));
            diff.insert(Key::from("after"), Value::from_json(after.clone()));
            result.set("diff", diff);
        }
        result
    }
}

/// Growing pauses up to a deadline.
struct Pause {
    until: Instant,
    next: Duration,
}

impl Pause {
    fn new(timeout: Duration) -> Pause {
        Pause {
            until: Instant::now() + timeout,
            next: Duration::from_millis(250),
        }
    }

    /// Sleeps; false if the deadline has passed.
    fn sleep(&mut self) -> bool {
        let left = self.until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return false;
        }
        crate::deadline::sleep(self.next.min(left));
        self.next = (self.next * 3 / 2).min(Duration::from_secs(10));
        true
    }
}
