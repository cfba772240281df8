//! Downloads a file.

mod checksum;

use super::common::attributes::FileArgs;
use super::common::backup;
use super::common::diff::Attributes;
use super::common::http::HttpArgs;
use super::{Failure, Module};
use crate::clock::Moment;
use crate::machine::http::{self, Request, Response, Settings, Url};
use crate::machine::{Content, Machine, errno_text, python_error};
use crate::modules::args::{Dict, Path, text};
use crate::value::Value;
use checksum::Checksum;
use rustix::fs::Access;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::io::Read;
use std::path::{Path as StdPath, PathBuf};
use std::time::Instant;

/// <https://docs.ansible.com/ansible/latest/collections/ansible/builtin/get_url_module.html>
pub struct GetUrl;

#[derive(Deserialize, JsonSchema)]
pub struct Args {
    /// What to download: `http://`, `https://` or `file://`.
    url: String,
    /// Where to put it: a file, or a folder that is there, where the server or the URL says the name.
    dest: Path,
    /// Copies a file that is there already to another name first.
    #[serde(default)]
    backup: bool,
    /// Downloads again, even if the server says that nothing has changed since.
    #[serde(default)]
    force: bool,
    /// What the file is to hash to, `sha256:<digest>`; or where its digest is listed, `sha256:<URL>`. A file that has
    /// the digest already is not downloaded.
    #[serde(default)]
    checksum: String,
    /// Headers of the request.
    headers: Option<Dict>,
    /// Seconds that connecting may take, and each wait for data.
    #[serde(default = "ten")]
    timeout: i64,
    /// The folder where the file is while it is downloaded.
    tmp_dest: Option<Path>,
    #[serde(flatten)]
    http: HttpArgs,
    #[serde(flatten)]
    file: FileArgs,
}

fn ten() -> i64 {
    10
}

#[derive(Default, Serialize, JsonSchema)]
pub struct Returns {
    changed: bool,
    /// Where the file is.
    dest: String,
    url: String,
    /// What the server said: `OK (12 bytes)`.
    msg: String,
    /// Seconds that it took.
    elapsed: u64,
    /// The server's answer, such as 200; 304 if the file has not changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    status_code: Option<Value>,
    /// Where the file was while it was downloaded.
    #[serde(skip_serializing_if = "Option::is_none")]
    src: Option<String>,
    /// SHA-1 of what was downloaded.
    #[serde(skip_serializing_if = "Option::is_none")]
    checksum_src: Option<Value>,
    /// SHA-1 of what was at `dest` before.
    #[serde(skip_serializing_if = "Option::is_none")]
    checksum_dest: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    md5sum: Option<String>,
    /// The copy that `backup` made.
    #[serde(skip_serializing_if = "Option::is_none")]
    backup_file: Option<String>,
}

impl Module for GetUrl {
    const NAME: &'static str = "get_url";
    const EXAMPLES: &'static str = "
- name: Take a file from elsewhere on this machine
  ansible.builtin.get_url:
    url: file:///etc/hostname
    dest: '{{ folder }}/name'
    mode: '0640'
";
    type Args = Args;
    type Returns = Returns;

    fn run(args: Args, machine: &mut Machine) -> Result<Returns, Failure> {
        let settings = args.http.settings("get_url", machine, args.timeout)?;
        let mut job = Job {
            dest: PathBuf::from(args.dest.as_str()),
            since: None,
            settings,
            args,
        };
        match job.already_there(machine)? {
            Some(done) => Ok(done),
            None => job.download(machine),
        }
    }
}

struct Job {
    args: Args,
    settings: Settings,
    dest: PathBuf,
    /// When the file that is there was changed: the server need not send it if it is not older than its own.
    since: Option<i64>,
}

/// What was downloaded, in a file that goes with this.
struct Download {
    file: Scratch,
    message: String,
    status: Value,
    url: String,
    disposition: Option<String>,
    elapsed: u64,
}

/// A file that goes away with this.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        Machine::default().drop_scratch(&self.0);
    }
}

impl Job {
    /// The result if the file need not be downloaded, as far as that can be told from here.
    fn already_there(&mut self, machine: &mut Machine) -> Result<Option<Returns>, Failure> {
        let is_dir = machine.is_dir(&self.dest);
        let there = !is_dir && machine.exists(&self.dest);
        if there && !self.args.force {
            if self.args.checksum.is_empty() {
                self.since = machine.stat(&self.dest).ok().map(|s| s.mtime.secs);
            } else if let Some(checksum) = self.checksum(machine)?
                && checksum.check(machine, &self.dest)?.is_ok()
            {
                let changed = self.apply(machine)?;
                return Ok(Some(Returns {
                    changed,
                    msg: match changed {
                        true => "file already exists but file attributes changed".to_string(),
                        false => "file already exists".to_string(),
                    },
                    checksum_src: Some(Value::Null),
                    checksum_dest: Some(Value::Null),
                    ..self.returns(0)
                }));
            }
        }
        Ok(None)
    }

    fn apply(&self, machine: &mut Machine) -> Result<bool, Failure> {
        let mut diff = Attributes::of_path(&self.dest.to_string_lossy());
        self.args.file.apply(machine, &self.dest, false, &mut diff)
    }

    fn returns(&self, elapsed: u64) -> Returns {
        Returns {
            dest: self.dest.to_string_lossy().into_owned(),
            url: http::shown(&self.args.url),
            elapsed,
            ..Returns::default()
        }
    }

    fn checksum(&self, machine: &Machine) -> Result<Option<Checksum>, Failure> {
        if self.args.checksum.is_empty() {
            return Ok(None);
        }
        let look_up = |url: &str| {
            let list = self.get(url, "GET", machine, None)?;
            let list = list.map_err(|(message, _)| Failure::new(message))?;
            let bytes = machine.read(&list.file.0).map_err(|e| {
                Failure::new(format!(
                    "Unable to read the checksums of {url}: {}",
                    errno_text(&e)
                ))
            })?;
            Ok(String::from_utf8_lossy(&bytes).into_owned())
        };
        Checksum::parse(&self.args.checksum, &self.args.url, look_up)
            .map(Some)
            .map_err(|failure| match failure.msg.starts_with("The checksum") {
                true => failure
                    .with("dest", self.dest.to_string_lossy().as_ref())
                    .with("url", http::shown(&self.args.url))
                    .with("elapsed", 0)
                    .with("checksum_src", Value::Null)
                    .with("checksum_dest", Value::Null),
                false => failure,
            })
    }

    /// Downloads a URL. The inner error is an answer that means that there is nothing to download (304).
    fn get(
        &self,
        url: &str,
        method: &str,
        machine: &Machine,
        since: Option<i64>,
    ) -> Result<Result<Download, (String, u64)>, Failure> {
        let began = Instant::now();
        let elapsed = || began.elapsed().as_secs();
        let fail = |msg: String| {
            Failure::new(msg)
                .with("url", http::shown(url))
                .with("dest", self.dest.to_string_lossy().as_ref())
                .with("elapsed", i64::try_from(elapsed()).unwrap_or(i64::MAX))
        };
        let parsed = Url::parse(url).ok_or_else(|| {
            Failure::new(format!("unknown url type: '{url}'"))
                .with("url", url)
                .with("status", -1)
        })?;
        if parsed.scheme == "file" {
            let path = PathBuf::from(http::unescape(&parsed.path));
            let opened = machine
                .stat(&path)
                .and_then(|s| Ok((s.size, machine.open(&path)?)));
            let (size, mut content) = opened.map_err(|e| {
                fail(format!(
                    "Request failed: <urlopen error {}: {}>",
                    errno_text(&e),
                    crate::python::quote(&path.to_string_lossy())
                ))
            })?;
            let file = self.keep(machine, &mut content, &fail)?;
            return Ok(Ok(Download {
                file,
                message: format!("OK ({size} bytes)"),
                status: Value::Null,
                url: url.to_string(),
                disposition: None,
                elapsed: elapsed(),
            }));
        }
        if parsed.scheme == "ftp" {
            return Err(fail(
                "get_url: rplay does not support URLs with ftp://".to_string(),
            ));
        }
        let mut request = Request::new(method, url);
        for (name, value) in self.args.headers.iter().flat_map(|h| h.iter()) {
            request.headers.push(&name.to_string(), &text(value));
        }
        if self.args.force {
            request.headers.set("Cache-Control", "no-cache");
        }
        if let Some(since) = since {
            let since = Moment::from_secs(since).utc();
            let since = since.format("%a, %d %b %Y %H:%M:%S GMT");
            request.headers.set("If-Modified-Since", &since);
        }
        let mut response = http::fetch(request, &self.settings).map_err(|e| fail(e.to_string()))?;
        let message = response.message();
        match response.status {
            200 => {}
            304 => return Ok(Err((message, elapsed()))),
            status => {
                return Err(fail("Request failed".to_string())
                    .with("status_code", i64::from(status))
                    .with("response", message));
            }
        }
        let file = self.keep(machine, &mut response.body, &fail)?;
        let Response { url, headers, .. } = response;
        Ok(Ok(Download {
            file,
            message,
            status: Value::Int(200),
            url: url.to_string(),
            disposition: headers.get("Content-Disposition").map(String::from),
            elapsed: elapsed(),
        }))
    }

    fn keep(
        &self,
        machine: &Machine,
        content: &mut dyn Read,
        fail: &dyn Fn(String) -> Failure,
    ) -> Result<Scratch, Failure> {
        let folder = self
            .args
            .tmp_dest
            .as_ref()
            .map(|p| StdPath::new(p.as_str()));
        if let Some(folder) = folder.filter(|f| !machine.is_dir(f)) {
            let what = match machine.exists(folder) {
                true => "is a file but should be a directory.",
                false => "directory does not exist.",
            };
            return Err(Failure::new(format!("{} {what}", folder.display())).with("elapsed", 0));
        }
        machine
            .scratch_from(folder, content)
            .map(Scratch)
            .map_err(|e| {
                fail(format!(
                    "failed to create temporary content file: {}",
                    http::in_words(&e)
                ))
            })
    }

    fn download(mut self, machine: &mut Machine) -> Result<Returns, Failure> {
        // what check mode need not know is not downloaded
        let method = match machine.mode.check {
            true => "HEAD",
            false => "GET",
        };
        let url = self.args.url.clone();
        let got = match self.get(&url, method, machine, self.since)? {
            Ok(got) => got,
            Err((msg, elapsed)) => {
                return Ok(Returns {
                    msg,
                    changed: self.apply(machine)?,
                    status_code: Some(Value::Int(304)),
                    ..self.returns(elapsed)
                });
            }
        };
        if machine.is_dir(&self.dest) {
            let named = got.disposition.as_deref().and_then(name_in_disposition);
            self.dest
                .push(named.unwrap_or_else(|| name_in_url(&got.url)));
        }
        let file = &got.file.0;
        let fail = |msg: String| Failure::new(msg);
        let sha1 = |path: &StdPath| {
            let digest = machine.sha1(path);
            digest.map_err(|e| fail(python_error(&e, path)))
        };
        let source = sha1(file)?;
        let mut returns = Returns {
            msg: got.message.clone(),
            src: Some(file.to_string_lossy().into_owned()),
            checksum_src: Some(source.as_str().into()),
            checksum_dest: Some(Value::Null),
            ..self.returns(got.elapsed)
        };
        let context = |msg: String, returns: &Returns| {
            let known = Value::from_serialize(returns).unwrap_or_default();
            let mut failure = Failure::new(msg);
            for (key, value) in known.as_map().into_iter().flatten() {
                if !matches!(key.as_str(), Some("msg" | "changed")) {
                    failure.fields.insert(key.clone(), value.clone());
                }
            }
            failure
        };
        let dest = self.dest.clone();
        if machine.exists(&dest) {
            for (access, word) in [
                (Access::WRITE_OK, "writable"),
                (Access::READ_OK, "readable"),
            ] {
                if !machine.access(&dest, access) {
                    return Err(context(
                        format!("Destination {} is not {word}", dest.display()),
                        &returns,
                    ));
                }
            }
            returns.checksum_dest = Some(sha1(&dest)?.into());
        } else {
            // with a slash at its end it is a folder itself; a bare name has none
            let folder = match dest.to_string_lossy().ends_with('/') {
                true => StdPath::new(dest.to_str().unwrap_or_default().trim_end_matches('/')),
                false => dest.parent().unwrap_or(&dest),
            };
            let wrong = match (
                machine.exists(folder),
                machine.access(folder, Access::WRITE_OK),
            ) {
                (false, _) => Some("does not exist"),
                (true, false) => Some("is not writable"),
                (true, true) => None,
            };
            if let Some(wrong) = wrong {
                return Err(context(
                    format!("Destination {} {wrong}", folder.display()),
                    &returns,
                ));
            }
        }
        let differs = returns.checksum_dest != Some(source.as_str().into());
        if machine.mode.check {
            returns.changed = differs;
            return Ok(returns);
        }
        if let Some(checksum) = self.checksum(machine)?
            && let Err(found) = checksum.check(machine, file)?
        {
            return Err(context(
                format!(
                    "The checksum for {} did not match {}; it was {found}.",
                    file.display(),
                    checksum.digest()
                ),
                &returns,
            ));
        }
        if differs {
            let io = |e: std::io::Error| {
                fail(format!(
                    "Could not write {}: {}",
                    dest.display(),
                    errno_text(&e)
                ))
            };
            if self.args.backup {
                returns.backup_file = backup::backup(machine, &dest).map_err(io)?;
            }
            machine
                .write(
                    &dest,
                    Content::File(file),
                    None,
                    self.args.file.unsafe_writes,
                )
                .map_err(io)?;
        }
        returns.md5sum = machine.digest::<md5::Md5>(&dest).ok();
        returns.changed = self.apply(machine)? || differs;
        returns.status_code = Some(got.status.clone());
        Ok(returns)
    }
}

/// The last part of a URL's path.
pub(super) fn name_in_url(url: &str) -> String {
    let path = Url::parse(url).map(|u| u.path).unwrap_or_default();
    let path = path.split('?').next().unwrap_or_default();
    match path.rsplit('/').next() {
        None | Some("") => "index.html".to_string(),
        Some(name) => http::unescape(name).replace('/', "_"),
    }
}

/// `attachment; filename="x"`: a name without a folder.
pub(super) fn name_in_disposition(header: &str) -> Option<String> {
    let name = header.split(';').find_map(|part| {
        let (key, value) = part.trim().split_once('=')?;
        key.trim().eq_ignore_ascii_case("filename").then_some(value)
    })?;
    let name = name.trim().trim_matches('"');
    let name = name.rsplit(['/', '\\']).next().unwrap_or(name);
    (!matches!(name, "" | "." | "..")).then(|| name.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_from_the_server_or_the_url() {
        for (url, name) in [
            ("http://h/a/b.tar.gz?x=/y", "b.tar.gz"),
            ("http://h/a%20b", "a b"),
            ("http://h/..%2f..%2fetc", ".._.._etc"),
            ("http://h", "index.html"),
        ] {
            assert_eq!(name_in_url(url), name, "{url}");
        }
        for (header, name) in [
            ("attachment; filename=\"x y.txt\"", Some("x y.txt")),
            ("attachment; FileName=../../etc/passwd", Some("passwd")),
            ("attachment; filename=..", None),
            ("inline", None),
        ] {
            assert_eq!(name_in_disposition(header).as_deref(), name, "{header}");
        }
    }
}
