//! `encrypt_string`: texts to `!vault` values of variables.

use super::Key;
use super::files::{done, write};
use crate::error::Kind;
use crate::{Error, Result, terminal};
use clap::Args;
use std::io::{IsTerminal, Read, Write};
use std::path::PathBuf;

#[derive(Args, Debug)]
pub struct StringArgs {
    /// Write to this file; - is the standard output
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,

    /// Ask for the text
    #[arg(short = 'p', long)]
    prompt: bool,

    /// Show what is typed when asked
    #[arg(long)]
    show_input: bool,

    /// The name of the variable; can be repeated, for one text after the other
    #[arg(short = 'n', long = "name", value_name = "NAME")]
    names: Vec<String>,

    /// The name of the variable for the standard input
    #[arg(long, value_name = "NAME")]
    stdin_name: Option<String>,

    /// Texts; - is the standard input
    #[arg(value_name = "TEXT")]
    pub texts: Vec<String>,
}

/// A text to encrypt, where it is from, and the variable's name.
struct Plain {
    text: Vec<u8>,
    origin: &'static str,
    name: Option<String>,
}

/// Prints the texts encrypted.
///
/// Errors on a text that is empty.
pub fn encrypt(args: StringArgs, key: &Key) -> Result<()> {
    let texts = collect(&args)?;
    let mut blocks = Vec::new();
    for (index, plain) in texts.iter().enumerate() {
        if texts.len() > 1 {
            let (number, origin) = (index + 1, plain.origin);
            eprintln!(
                "# The encrypted version of {}",
                match &plain.name {
                    Some(name) =>
                        format!("variable (\"{name}\", the string #{number} from {origin})."),
                    None => format!("the string #{number} from {origin}.)"),
                }
            );
        }
        blocks.push(block(plain.name.as_deref(), &key.seal(&plain.text)?));
    }
    let text = blocks.join("\n") + "\n";
    write(
        args.output.as_deref().unwrap_or("-".as_ref()),
        text.as_bytes(),
        false,
    )?;
    done("Encryption");
    Ok(())
}

/// The value as YAML, indented as ansible-vault does it.
fn block(name: Option<&str>, sealed: &str) -> String {
    let mut out = match name {
        Some(name) => format!("{name}: !vault |"),
        None => "!vault |".to_string(),
    };
    for line in sealed.lines() {
        out.push_str(&format!("\n          {line}"));
    }
    out
}

fn collect(args: &StringArgs) -> Result<Vec<Plain>> {
    let empty = |what: &str| Error::new(Kind::Options, format!("{what} was empty, not encrypting"));
    let mut out = Vec::new();
    if args.prompt {
        let name = match args.names.first() {
            Some(name) => name.clone(),
            None => ask("Variable name (enter for no name): ")?,
        };
        let text = match args.show_input {
            true => ask("String to encrypt: ")?,
            false => terminal::secret("String to encrypt (hidden): ")?,
        };
        if text.is_empty() {
            return Err(empty("The plaintext provided from the prompt"));
        }
        out.push(Plain {
            text: text.into_bytes(),
            origin: "the interactive prompt",
            name: Some(name).filter(|n| !n.is_empty()),
        });
    }
    let from_args: Vec<&String> = args.texts.iter().filter(|t| *t != "-").collect();
    let reads = args.stdin_name.is_some()
        || from_args.len() < args.texts.len()
        || (args.texts.is_empty() && !args.prompt);
    if reads {
        if std::io::stdin().is_terminal() {
            eprintln!(
                "Reading plaintext input from stdin. (ctrl-d to end input, twice if your content does not already have a newline)"
            );
        }
        let mut text = Vec::new();
        std::io::stdin().lock().read_to_end(&mut text)?;
        if text.is_empty() {
            return Err(empty("stdin"));
        }
        out.push(Plain {
            text,
            origin: "stdin",
            name: args.stdin_name.clone(),
        });
    }
    if let Some(last) = args.names.last()
        && args.names.len() < from_args.len()
    {
        eprintln!(
            "The number of --name options do not match the number of args.\n\
             The last named variable will be \"{last}\". The rest will not have names."
        );
    }
    let mut names = args.names.iter();
    for text in from_args {
        if text.is_empty() {
            return Err(empty("The plaintext provided from the command line args"));
        }
        out.push(Plain {
            text: text.clone().into_bytes(),
            origin: "the command line args",
            name: names.next().cloned(),
        });
    }
    Ok(out)
}

fn ask(prompt: &str) -> Result<String> {
    print!("{prompt}");
    std::io::stdout().flush()?;
    let mut line = String::new();
    if std::io::stdin().read_line(&mut line)? == 0 {
        return Err(Error::general("EOF when reading a line"));
    }
    Ok(line.trim_end_matches(['\n', '\r']).to_string())
}
