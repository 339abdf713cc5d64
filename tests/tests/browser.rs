//! The pages in a real browser: they load without an error or a request, what they show is drawn, and mouse and keyboard work.
//!
//! The browser is Chromium, without a window, where the machine has it (`.ci/run` installs it where it can). Without it these tests say
//! that they are skipped, and pass. What stands in a page without its script is tested beside the code that writes it.

#[path = "browser/chromium.rs"]
mod chromium;
#[path = "browser/stories.rs"]
mod stories;

use chromium::{Browser, Page};
use highwater_reports::{html, sweep::SweepSummary};
use highwater_sim::run::RunReport;
use std::{fs, path::Path};

/// Opens a page that was written as a file, or says that there is no browser.
fn open<'a>(browser: &'a mut Option<Browser>, directory: &Path, page: &str) -> Option<Page<'a>> {
    let path = directory.join("page.html");
    fs::write(&path, page).expect("it can be written");
    Some(browser.as_mut()?.open(&path))
}

fn directory() -> tempfile::TempDir {
    tempfile::tempdir().expect("a directory")
}

fn assert_quiet(page: &mut Page<'_>) {
    assert_eq!(page.complaints(), Vec::<String>::new());
    assert_eq!(page.requests(), Vec::<String>::new());
}

#[test]
fn a_run_loads_without_an_error_or_a_request_and_its_lanes_are_drawn() {
    let (mut browser, directory) = (Browser::start(), directory());
    let report = stories::power_loss_and_reset();
    let Some(mut page) = open(&mut browser, directory.path(), &html::render_run(&report)) else { return };
    for lane in ["faults", "source", "connection", "journal", "batches", "checkpoints", "sinks", "lives"] {
        assert!(page.text("#chart svg").contains(lane), "{lane}");
    }
    for (what, least) in [
        (".mark.routine", 10.0),
        (".mark.fault", 2.0),
        (".mark.again", 1.0),
        (".band.down", 1.0),
        (".band.recovery", 1.0),
        (".span.life", 2.0),
        (".span.connection", 2.0),
        (".calm", 10.0),
    ] {
        let drawn = page.number(&format!("document.querySelectorAll('#chart {what}').length"));
        assert!(drawn >= least, "{drawn} of {what}");
    }
    page.evaluate("document.getElementById('show-steps').click()");
    page.until("document.querySelectorAll('#chart .step').length > 20");
    assert_quiet(&mut page);
}

#[test]
fn a_click_on_a_fault_tells_what_it_hit_and_caused_and_an_event_its_record() {
    let (mut browser, directory) = (Browser::start(), directory());
    let report = stories::power_loss_and_reset();
    let Some(mut page) = open(&mut browser, directory.path(), &html::render_run(&report)) else { return };
    page.click("#chart .mark.fault");
    page.until("document.querySelector('#details h3').textContent.includes('fault')");
    let told = page.text("#details");
    assert!(told.contains("fired at") && told.contains("What it caused"), "{told}");

    page.evaluate("document.querySelector('#plan button.show').click()");
    page.until("document.querySelector('#details h3').textContent.includes('fault 1')");
    let told = page.text("#details");
    assert!(told.contains("the driver noticed after") && told.contains("connected again"), "{told}");

    page.evaluate("document.getElementById('find').value = 'recovered'");
    page.evaluate("document.getElementById('find').dispatchEvent(new Event('input'))");
    page.evaluate("document.querySelector('#events-table button').click()");
    let told = page.text("#details");
    assert!(told.contains("\"Recovered\"") && told.contains("journal_records"), "{told}");
    assert_quiet(&mut page);
}

#[test]
fn the_keyboard_alone_goes_along_the_lanes_zooms_and_reads_a_record() {
    let (mut browser, directory) = (Browser::start(), directory());
    let report = stories::power_loss_and_reset();
    let Some(mut page) = open(&mut browser, directory.path(), &html::render_run(&report)) else { return };
    page.evaluate("document.getElementById('chart').focus()");
    let mut spoken = Vec::new();
    for key in ["f", "f", "ArrowDown", "ArrowRight", "ArrowRight", "ArrowDown", "Home", "End"] {
        page.press(key);
        spoken.push(page.text("#status"));
    }
    assert!(spoken[0].starts_with("faults: ") && spoken[0].contains("RESET"), "{spoken:?}");
    assert!(spoken[1].contains("POWER LOSS"), "{spoken:?}");
    assert!(spoken[2].starts_with("source: "), "{spoken:?}");
    assert!(spoken.windows(2).all(|pair| pair[0] != pair[1]), "each key says something else: {spoken:?}");

    let window = "document.querySelector('#chart .window').getAttribute('width')";
    page.press("0");
    page.until(&format!("+{window} > 300"));
    let whole = page.number(window);
    page.press("+");
    page.until(&format!("+{window} < {whole} * 0.6"));
    page.press("Enter");
    assert_eq!(page.evaluate("document.activeElement.id"), "details");
    page.press("Escape");
    assert_eq!(page.evaluate("document.activeElement.id"), "chart");
    assert_quiet(&mut page);
}

#[test]
fn ten_thousand_events_are_few_shapes_and_each_can_be_found() {
    let (mut browser, directory) = (Browser::start(), directory());
    let report = stories::of_many_events(10_000);
    let Some(mut page) = open(&mut browser, directory.path(), &html::render_run(&report)) else { return };
    assert!(page.text("#page-about").starts_with("10000 of 10000 events"), "{}", page.text("#page-about"));
    let shapes = page.number("+document.getElementById('chart').dataset.shapes");
    assert!((50.0..3000.0).contains(&shapes), "{shapes} shapes");
    page.evaluate("document.getElementById('chart').focus()");
    for key in ["End", "+", "+", "+", "ArrowLeft"] {
        page.press(key);
    }
    assert!(page.text("#status").contains("1998."), "{}", page.text("#status"));
    // How long its reader waits for the page, and for what a key does, in milliseconds of this machine: `--nocapture` shows it.
    page.evaluate(
        "(async () => { const chart = document.getElementById('chart'), waits = []; \
         for (const key of ['0', '+', '+', '+', 'ArrowRight', 'ArrowDown', '-', '-', '-', 'Home', 'End']) { \
         const from = performance.now(); chart.dispatchEvent(new KeyboardEvent('keydown', { key })); \
         await new Promise((done) => requestAnimationFrame(() => setTimeout(done))); \
         waits.push(performance.now() - from); } window.waited = Math.max(...waits); })()",
    );
    page.until("window.waited > 0");
    let loaded = page.number("performance.getEntriesByType('navigation')[0].domComplete");
    let waited = page.number("window.waited");
    eprintln!("10,000 events: loaded in {loaded:.0} ms, at most {waited:.0} ms for a key, {shapes} shapes");
    assert!(loaded < 20_000.0 && waited < 2_000.0, "loaded in {loaded} ms, {waited} ms for a key");
    page.evaluate("document.getElementById('find').value = 'block 1234,'");
    page.evaluate("document.getElementById('find').dispatchEvent(new Event('input'))");
    assert!(page.text("#page-about").starts_with("1 of 10000 events"), "{}", page.text("#page-about"));
    assert_quiet(&mut page);
}

#[test]
fn a_record_that_is_markup_stays_text() {
    let (mut browser, directory) = (Browser::start(), directory());
    let report = stories::with_lines_of_markup();
    let Some(mut page) = open(&mut browser, directory.path(), &html::render_run(&report)) else { return };
    page.evaluate("document.getElementById('find').value = 'onerror'");
    page.evaluate("document.getElementById('find').dispatchEvent(new Event('input'))");
    page.evaluate("document.querySelector('#events-table button').click()");
    let record = page.text("#details pre");
    assert!(record.contains("</script><img src=x onerror=window.attacked=1>"), "{record}");
    assert_eq!(page.evaluate("String(window.attacked) + document.images.length"), "undefined0");
    assert_quiet(&mut page);
}

#[test]
fn a_page_is_light_or_dark_as_its_reader_has_it() {
    let (mut browser, directory) = (Browser::start(), directory());
    let report = stories::power_loss_and_reset();
    let Some(mut page) = open(&mut browser, directory.path(), &html::render_run(&report)) else { return };
    let backs = ["light", "dark"].map(|scheme| {
        page.prefer(scheme);
        page.evaluate("getComputedStyle(document.body).backgroundColor")
    });
    assert_eq!(backs[0], "rgb(255, 255, 255)");
    assert_ne!(backs[0], backs[1]);
}

#[test]
fn the_index_of_a_sweep_opens_its_runs() {
    let (mut browser, directory) = (Browser::start(), directory());
    let runs: Vec<RunReport> = (0..3).map(stories::seeded).collect();
    let mut summary = SweepSummary::default();
    for report in &runs {
        summary.add(report);
        let path = directory.path().join(format!("word-count-{}.html", report.seed));
        fs::write(path, html::render_run(report)).expect("it can be written");
    }
    let index = html::render_sweep(&summary, &|scenario, seed| Some(format!("{scenario}-{seed}.html")));
    let Some(mut page) = open(&mut browser, directory.path(), &index) else { return };
    assert!(page.number("document.querySelectorAll('.heat td').length") > 20.0);
    assert_quiet(&mut page);
    page.evaluate("document.querySelector('#runs a').click()");
    page.until("document.querySelectorAll('#chart .mark').length > 0");
    assert!(page.text("h1").starts_with("word-count, seed "), "{}", page.text("h1"));
}
