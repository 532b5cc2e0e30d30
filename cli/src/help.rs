//! What the tool says of itself: help for people and programs, completions, and manual pages.

use std::path::PathBuf;

use clap::{Arg, Command, CommandFactory};
use clap_complete::Shell;
use serde_json::{Value, json};

use crate::arguments::Arguments as Tool;
use crate::desk::{Desk, Findings, Trouble};
use crate::format::Format;

/// Print help for a command, or all commands and their options as JSON
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "Examples:
  esclusa help lint
  esclusa help --format json")]
pub struct Arguments {
    /// The command
    #[arg(value_name = "COMMAND")]
    pub command: Option<String>,
    /// How it is printed
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub format: Format,
}

/// Runs `help`.
///
/// # Errors
/// When the command is unknown.
pub fn run(arguments: &Arguments, desk: &mut Desk<'_>) -> Result<Findings, Trouble> {
    let mut tool = built();
    let command = match &arguments.command {
        None => &mut tool,
        Some(name) => tool
            .find_subcommand_mut(name)
            .ok_or_else(|| Trouble::new(format!("`{name}` is not a command, expected one of `esclusa help`")))?,
    };
    match arguments.format {
        Format::Human => {
            let help = command.render_long_help();
            desk.print(if desk.colours { help.ansi().to_string() } else { help.to_string() })?;
        }
        Format::Json => desk.print(format_args!("{}\n", described(command)))?,
    }
    Ok(Findings::None)
}

fn built() -> Command {
    let mut tool = Tool::command();
    tool.build();
    tool
}

/// A command with its arguments and its commands.
fn described(command: &Command) -> Value {
    let visible = command.get_arguments().filter(|argument| !argument.is_hide_set());
    json!({
        "name": command.get_name(),
        "about": command.get_about().map(ToString::to_string),
        "after": command.get_after_help().map(ToString::to_string),
        "arguments": visible.map(argument).collect::<Vec<_>>(),
        "commands": command.get_subcommands().map(described).collect::<Vec<_>>(),
    })
}

fn argument(argument: &Arg) -> Value {
    let values: Vec<String> = argument.get_possible_values().iter().map(|value| value.get_name().to_owned()).collect();
    let defaults: Vec<String> =
        argument.get_default_values().iter().map(|value| value.to_string_lossy().into_owned()).collect();
    json!({
        "name": argument.get_id().as_str(),
        "long": argument.get_long().map(|long| format!("--{long}")),
        "short": argument.get_short().map(|short| format!("-{short}")),
        "help": argument.get_help().map(ToString::to_string),
        "required": argument.is_required_set(),
        "takes_value": argument.get_action().takes_values(),
        "repeats": matches!(argument.get_action(), clap::ArgAction::Append),
        "values": values,
        "default": defaults.first(),
    })
}

/// Print completions for a shell
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "Examples:
  esclusa completions bash > /etc/bash_completion.d/esclusa
  esclusa completions zsh > ~/.zfunc/_esclusa
  esclusa completions fish > ~/.config/fish/completions/esclusa.fish")]
pub struct CompletionsArguments {
    /// The shell
    #[arg(value_enum)]
    pub shell: Shell,
}

/// Runs `completions`.
///
/// # Errors
/// When the output is closed or cannot be written.
pub fn completions(arguments: &CompletionsArguments, desk: &mut Desk<'_>) -> Result<Findings, Trouble> {
    let mut text = Vec::new();
    clap_complete::generate(arguments.shell, &mut Tool::command(), "esclusa", &mut text);
    desk.out.write_all(&text)?;
    Ok(Findings::None)
}

/// Print the manual page, or write one for each command into a folder
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "Examples:
  esclusa man | man -l -
  esclusa man /usr/local/share/man/man1")]
pub struct ManArguments {
    /// The folder
    #[arg(value_name = "DIR")]
    pub folder: Option<PathBuf>,
}

/// Runs `man`.
///
/// # Errors
/// When the folder cannot be written.
pub fn man(arguments: &ManArguments, desk: &mut Desk<'_>) -> Result<Findings, Trouble> {
    match &arguments.folder {
        None => {
            let mut page = Vec::new();
            clap_mangen::Man::new(built()).render(&mut page)?;
            desk.out.write_all(&page)?;
        }
        Some(folder) => {
            let whole = desk.folder.join(folder);
            let trouble = |error: std::io::Error| Trouble::new(format!("cannot write `{}`: {error}", folder.display()));
            std::fs::create_dir_all(&whole).map_err(trouble)?;
            clap_mangen::generate_to(Tool::command(), &whole).map_err(trouble)?;
            desk.say(format_args!("wrote the manual pages to {}", folder.display()))?;
        }
    }
    Ok(Findings::None)
}
