//! The one integration test binary: a relink with the AWS SDK takes seconds.

#[cfg(feature = "aws")]
mod aws;
mod compatibility;
mod config;
mod errors;
mod galaxy;
mod hosts;
mod inventory;
mod live;
mod parity;
mod ssh;
mod support;
