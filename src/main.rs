//! rplay: arguments to an exit code; everything else is in the library.

fn main() {
    std::process::exit(rplay::cli::run(std::env::args_os()));
}
