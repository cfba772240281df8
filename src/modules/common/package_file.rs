//! Files of packages that are named by their URL.

use crate::machine::{Machine, http};
use crate::modules::Failure;
use std::path::PathBuf;

/// Downloads a file of a package into a scratch file, whose name ends with `suffix`.
///
/// Fails in the words of Ansible's modules for packages.
pub fn download(
    machine: &Machine,
    url: &str,
    validate_certs: bool,
    suffix: &str,
) -> Result<PathBuf, Failure> {
    let shown = http::shown(url);
    let failed = |why: String| Failure::new(format!("Failure downloading {shown}, {why}"));
    let settings = http::Settings {
        validate_certs,
        ..http::Settings::new(machine)
    };
    let request = http::Request::new("GET", url);
    let mut response = http::fetch(request, &settings).map_err(|e| failed(e.to_string()))?;
    if response.status != 200 {
        return Err(failed(response.message()));
    }
    let broken = |e: std::io::Error| failed(http::in_words(&e));
    let mut content = Vec::new();
    std::io::Read::read_to_end(&mut response.body, &mut content).map_err(broken)?;
    let file = machine.scratch(suffix, false).map_err(broken)?;
    if let Err(e) = machine.fill_scratch(&file, &content) {
        machine.drop_scratch(&file);
        return Err(broken(e));
    }
    Ok(file)
}
