//! The commands of the README and of the guide, run as they stand there: page by page, in an empty directory with a home of its own.
//!
//! Every `sh` block is run, so a new one is tested without a line here. A comment right before a block says what a test needs to know of
//! it; a reader of the page does not see it:
//!
//! - `<!-- not run: WHY -->`: it needs what is not here, or something else tests it.
//! - `<!-- run: ITEM; ITEM -->` with the items `sweep --seeds 0..2` (lines that call that command get this option instead of their own, to be
//!   short), `without WORDS` (but for the lines that begin so), `status N` (its last command ends so), `background` (each line is a server, which is asked to end when the page is over), `alone`
//!   (each line is such a server, in a directory of its own, and ends before the next).
//!
//! `cargo run --release --` is the command that this test was built with; port 8880 is one that is free. Left out: what the commands print.

#[path = "docs_commands/block.rs"]
mod block;
#[path = "docs_commands/shell.rs"]
mod shell;

use block::{Block, How, blocks};
use serde_json::Value;
use shell::Shell;
use std::{fs, path::Path, process::Command};

/// Runs the blocks of a page. Says how many were run.
fn live_through(page: &str) -> usize {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(page);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut shell = Shell::new(page);
    let mut run = 0;
    for Block { line, how, script } in blocks(&text) {
        let place = format!("{page}, line {line}");
        match how {
            How::Not => continue,
            How::Whole { status } => shell.run(&place, &script, status),
            How::Background => script.lines().for_each(|command| shell.start(&place, command)),
            How::Alone => script.lines().for_each(|command| shell.run_alone(&place, command)),
        }
        run += 1;
    }
    shell.end();
    run
}

/// Of several binaries `cargo run` takes the one that a package says is its default, if no other package says so.
#[test]
fn cargo_run_is_the_command() {
    let arguments = ["metadata", "--no-deps", "--offline", "--locked", "--format-version", "1"];
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let metadata =
        Command::new(env!("CARGO")).args(arguments).current_dir(root).output().expect("cargo is there");
    assert!(metadata.status.success(), "{}", String::from_utf8_lossy(&metadata.stderr));
    let metadata: Value = serde_json::from_slice(&metadata.stdout).expect("it is JSON");
    let packages = metadata["packages"].as_array().expect("there are packages");
    let default_runs: Vec<&str> =
        packages.iter().filter_map(|package| package["default_run"].as_str()).collect();
    assert_eq!(default_runs, ["highwater"]);
}

macro_rules! pages {
    ($($name:ident $page:literal $blocks:literal,)*) => {
        $(
            #[test]
            fn $name() {
                assert_eq!(live_through($page), $blocks, "{}: so many blocks are run", $page);
            }
        )*

        #[test]
        fn no_page_is_left_out() {
            let named = [$($page),*];
            let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
            for file in fs::read_dir(docs).expect("it is there") {
                let path = file.expect("it can be read").path();
                let name = format!("docs/{}", path.file_name().expect("it has one").to_string_lossy());
                let text = fs::read_to_string(&path).expect("it can be read");
                assert!(named.contains(&name.as_str()) || !text.contains("```sh"), "{name} has commands");
            }
        }
    };
}

pages! {
    the_commands_of_the_readme_work "README.md" 3,
    run_it_works "docs/run-it.md" 2,
    kill_it_works "docs/kill-it.md" 0,
    sweep_it_works "docs/sweep-it.md" 4,
    reading_a_report_works "docs/reading-a-report.md" 3,
    the_files_of_a_report_work "docs/report-schema.md" 1,
    write_a_pipeline_works "docs/write-a-pipeline.md" 1,
    test_your_own_works "docs/test-your-own.md" 0,
    the_proof_works "docs/proof.md" 0,
    scenario_files_work "docs/scenario-files.md" 1,
    the_command_works "docs/command.md" 2,
    operating_it_works "docs/operating.md" 1,
}
