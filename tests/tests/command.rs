//! The command as its users meet it: how a sweep ends, what it refuses, what becomes of files, one JSON document from each command, defaults from a file, scenarios from files,
//! what shells and manuals take, and a crate of one's own. What it does for real is in `real_process.rs`.

#[path = "command/config.rs"]
mod config;
#[path = "command/ends.rs"]
mod ends;
#[path = "command/files.rs"]
mod files;
#[path = "command/help.rs"]
mod help;
#[path = "command/json.rs"]
mod json;
#[path = "command/limits.rs"]
mod limits;
#[path = "command/new_crate.rs"]
mod new_crate;
#[path = "command/scenario_files.rs"]
mod scenario_files;
