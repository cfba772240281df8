//! What several modules share.

pub mod attributes;
pub mod backup;
pub mod command;
pub mod diff;
pub mod digest;
pub mod docker;
pub mod edit;
pub mod encoding;
pub mod http;
pub mod init;
pub mod mode;
pub mod package_file;
pub mod path_info;
pub mod text;
pub mod tool;
pub mod validate;
