//! The React example, built and served until it is stopped.

use super::Problem;
use super::page::Page;
use crate::tools::Tools;

const EXAMPLE: &str = "esclusa-example-react";
/// The default port of the example.
const PORT: &str = "5173";

pub(super) fn react(page: &Page) -> Result<(), Problem> {
    let tools = Tools::find().map_err(Problem::Failure)?;
    tools.install_npm().map_err(Problem::Failure)?;
    for package in ["@esclusa/wasm", "@esclusa/react", EXAMPLE] {
        tools.must(tools.program("npm").args(["run", "build", "--workspace", package])).map_err(Problem::Failure)?;
    }
    let port = std::env::var("PORT").unwrap_or_else(|_| PORT.to_owned());
    page.line("")?;
    page.line(&page.strong(&format!("The React example: http://localhost:{port}/ (Ctrl-C ends it)")))?;
    let serve = tools.program("npm").args(["run", "--silent", "serve", "--workspace", EXAMPLE]).env("PORT", port);
    let status =
        serve.into_command().status().map_err(|problem| Problem::Failure(format!("cannot serve: {problem}")))?;
    if status.success() { Ok(()) } else { Err(Problem::Failure(format!("the example ended with {status}"))) }
}
