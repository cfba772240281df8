//! rplay: arguments to an exit code; everything else is in the library.

fn main() {
    rplay::agent::run_if_job(std::env::args_os());
    std::process::exit(rplay::cli::run(std::env::args_os()));
}
