//! `esclusa`: reads the command line, runs the command, and turns what came of it into an exit code.
#![forbid(unsafe_code)]

use std::io::{BufWriter, IsTerminal, Write, stdin, stdout};
use std::process::ExitCode;
use std::time::SystemTime;

use anstream::{AutoStream, ColorChoice};
use clap::Parser;
use esclusa_cli::{Arguments, Desk, Findings, Trouble};

/// The width of what is not a terminal.
const WIDTH: usize = 140;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match arguments.color {
        clap::ColorChoice::Auto => ColorChoice::Auto,
        clap::ColorChoice::Always => ColorChoice::Always,
        clap::ColorChoice::Never => ColorChoice::Never,
    }
    .write_global();
    match run(&arguments) {
        Ok(Findings::None) | Err(Trouble::Closed) => ExitCode::SUCCESS,
        Ok(Findings::Some) => ExitCode::from(1),
        Err(trouble) => {
            // Where the person cannot be told either, the exit code still says it.
            let _ = writeln!(anstream::stderr(), "\u{1b}[1m\u{1b}[31merror\u{1b}[0m: {trouble}");
            ExitCode::from(2)
        }
    }
}

fn run(arguments: &Arguments) -> Result<Findings, Trouble> {
    let colours = AutoStream::choice(&stdout()) != ColorChoice::Never;
    let width = terminal_size::terminal_size().map_or(WIDTH, |(width, _)| usize::from(width.0));
    let (mut out, mut talk, mut input) = (BufWriter::new(anstream::stdout()), anstream::stderr(), stdin().lock());
    let mut desk = Desk {
        out: &mut out,
        talk: &mut talk,
        input: &mut input,
        can_ask: stdin().is_terminal() && std::io::stderr().is_terminal(),
        colours,
        width,
        now: SystemTime::now().into(),
        folder: std::env::current_dir()?,
        variable: &|name| std::env::var(name).ok(),
    };
    let findings = arguments.command.run(&mut desk)?;
    out.flush()?;
    Ok(findings)
}
