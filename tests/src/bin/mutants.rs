//! Plants each bug of `tests/mutants/` in a copy of the repository, builds it, sweeps it until a judge objects, and compares with
//! the baseline.

use clap::Parser;
use comfy_table::{CellAlignment, Table, TableComponent, presets};
use highwater_tests::mutants::{
    baseline::{Baseline, Change, Fate},
    directory,
    hunt::Hunt,
    listing::listing,
    patch::{Mutant, read_all},
    repository,
    workshop::{Unbuilt, Workshop},
};
use std::{num::NonZeroUsize, ops::Range, path::PathBuf, process::ExitCode, str::FromStr, time::Instant};

const AFTER_HELP: &str = "\
Examples:
  mutants
  mutants roll-without-sync mark-before-sync --seeds 0..5000
  mutants --update
  mutants --list

Exit status: 0 all as in the baseline or better; 1 a mutant that was killed survives, or does not apply or build any more; 2 wrong usage,
or nothing could be measured.";

/// Plants known bugs in a copy of the engine and tells which judge finds each, after how many seeds
#[derive(Parser)]
#[command(name = "mutants", after_help = AFTER_HELP)]
struct Arguments {
    /// The mutants [default: all of tests/mutants]
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// The seeds of each scenario
    #[arg(long, value_name = "FROM..TO", default_value = "0..1000")]
    seeds: Seeds,
    /// How many runs at once [default: the number of cores]
    #[arg(long, value_name = "N")]
    jobs: Option<NonZeroUsize>,
    /// Writes what came of it to the baseline instead of comparing
    #[arg(long)]
    update: bool,
    /// Only applies and builds; sweeps nothing
    #[arg(long, conflicts_with = "update")]
    check: bool,
    /// Only lists them with what the baseline says, as docs/proof.md has it
    #[arg(long, exclusive = true)]
    list: bool,
}

#[derive(Clone, Debug)]
struct Seeds(Range<u64>);

impl FromStr for Seeds {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let range = || {
            let (from, to) = text.split_once("..")?;
            Some(from.parse().ok()?..to.parse().ok()?)
        };
        let range = range().filter(|range: &Range<u64>| !range.is_empty());
        range.map(Self).ok_or_else(|| "give FROM..TO with FROM < TO, such as 0..1000".into())
    }
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

/// A mutant that was tried.
struct Tried<'a> {
    mutant: &'a Mutant,
    fate: Fate,
    change: Change,
    seconds: f64,
}

fn run(arguments: &Arguments) -> Result<bool, String> {
    let all = read_all(&directory())?;
    if let Some(unknown) = arguments.names.iter().find(|name| all.iter().all(|one| one.name != **name)) {
        return Err(format!("there is no mutant `{unknown}` in {}", directory().display()));
    }
    let chosen = |mutant: &&Mutant| arguments.names.is_empty() || arguments.names.contains(&mutant.name);
    let path = directory().join("baseline.toml");
    let mut baseline = if path.exists() { Baseline::read(&path)? } else { Baseline::default() };
    if arguments.list {
        print!("{}", listing(&all, &baseline));
        return Ok(true);
    }
    let place = workplace()?;
    let workshop = Workshop::open(&repository(), &place).map_err(|error| error.to_string())?;
    eprintln!("building in {}; the first time takes minutes", place.display());
    let command = workshop.build(None).map_err(|why| format!("the engine itself does not build: {why}"))?;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let jobs = arguments.jobs.map_or(cores, NonZeroUsize::get);
    let hunt = Hunt::open(command, place.join("reports"), jobs).map_err(|error| error.to_string())?;

    let mut tried = Vec::new();
    for mutant in all.iter().filter(chosen) {
        let started = Instant::now();
        let fate = try_one(&workshop, &hunt, mutant, arguments)?;
        let change = baseline.compare(&mutant.name, &fate, &arguments.seeds.0);
        eprintln!("{}: {fate}{}", mutant.name, told(&change));
        if arguments.update {
            // At once: a run of all takes a while.
            baseline.0.insert(mutant.name.clone(), fate.clone());
            baseline.write(&path)?;
        }
        tried.push(Tried { mutant, fate, change, seconds: started.elapsed().as_secs_f64() });
    }
    if arguments.update {
        baseline.0.retain(|name, _| all.iter().any(|mutant| mutant.name == *name));
        for mutant in &all {
            baseline.0.entry(mutant.name.clone()).or_insert(Fate::Untried);
        }
        baseline.write(&path)?;
    }
    println!("{}\n\n{}", table(&tried), summary(&tried, &arguments.seeds.0));
    Ok(arguments.update || tried.iter().all(|one| !matches!(one.change, Change::Worse(_))))
}

fn try_one(workshop: &Workshop, hunt: &Hunt, mutant: &Mutant, arguments: &Arguments) -> Result<Fate, String> {
    match workshop.build(Some(mutant)) {
        Ok(_) if arguments.check => Ok(Fate::Untried),
        Ok(_) => match hunt.run(arguments.seeds.0.clone()) {
            Ok(Some(kill)) => Ok(Fate::Killed(kill)),
            Ok(None) => Ok(Fate::Survived),
            Err(error) => Err(format!("{}: {error}", mutant.name)),
        },
        Err(Unbuilt::Stale(stale)) => {
            eprintln!("{}: {stale}", mutant.name);
            Ok(Fate::Stale)
        }
        Err(Unbuilt::Compiler(said)) => {
            eprintln!("{said}");
            Ok(Fate::DoesNotBuild)
        }
        Err(Unbuilt::Io(error)) => Err(error.to_string()),
    }
}

/// Where mutants are built: below the directory in which this command was built.
fn workplace() -> Result<PathBuf, String> {
    let command = std::env::current_exe().map_err(|error| error.to_string())?;
    // TARGET/PROFILE/mutants
    let target = command.ancestors().nth(2).ok_or("this command does not lie in a target directory")?;
    Ok(target.join("planted"))
}

fn told(change: &Change) -> String {
    match change {
        Change::Same => String::new(),
        Change::Told(what) => format!(" ({what})"),
        Change::Worse(what) => format!(" (FAILURE: {what})"),
    }
}

fn table(tried: &[Tried<'_>]) -> String {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_style(TableComponent::HeaderLines, '-');
    table.set_header(["mutant", "part", "expected", "killed by", "scenario", "seed", "s", ""]);
    for one in tried {
        let (killed_by, scenario, seed) = match &one.fate {
            Fate::Killed(kill) => (kill.invariant.clone(), kill.scenario.clone(), kill.seed.to_string()),
            other => (other.to_string(), String::new(), String::new()),
        };
        table.add_row([
            one.mutant.name.clone(),
            one.mutant.header.part.clone(),
            one.mutant.header.breaks.join(", "),
            killed_by,
            scenario,
            seed,
            format!("{:.0}", one.seconds),
            told(&one.change).trim().to_owned(),
        ]);
    }
    for right in [5, 6] {
        if let Some(column) = table.column_mut(right) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let lines: Vec<String> = table.lines().map(|line| line.trim_end().to_owned()).collect();
    lines.join("\n")
}

fn summary(tried: &[Tried<'_>], seeds: &Range<u64>) -> String {
    let count = |wanted: fn(&Fate) -> bool| tried.iter().filter(|one| wanted(&one.fate)).count();
    let mut needed: Vec<u64> = tried
        .iter()
        .filter_map(|one| match &one.fate {
            Fate::Killed(kill) => Some(kill.seed - seeds.start + 1),
            _ => None,
        })
        .collect();
    needed.sort_unstable();
    let mut text = format!(
        "{} of {} killed within seeds {}..{}; survived: {}, stale: {}, not built: {}",
        needed.len(),
        tried.len(),
        seeds.start,
        seeds.end,
        count(|fate| *fate == Fate::Survived),
        count(|fate| *fate == Fate::Stale),
        count(|fate| *fate == Fate::DoesNotBuild),
    );
    if let (Some(median), Some(worst)) = (needed.get(needed.len() / 2), needed.last()) {
        text.push_str(&format!("\nseeds until the kill: median {median}, worst {worst}"));
    }
    text
}
