//! Chromium without a window, spoken to over a pipe: as much of its DevTools protocol as these tests need.
//!
//! A message is JSON that ends with a zero byte; the browser reads them from its file 3 and writes them to its file 4, which a shell
//! makes of its standard input and output. What it says unasked (errors, requests) is kept until somebody asks for it.

use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, ChildStdin, Command, Stdio},
    sync::{
        Mutex, MutexGuard, PoisonError,
        mpsc::{Receiver, channel},
    },
    thread,
    time::{Duration, Instant},
};

/// Far more than anything takes, for a machine that has other things to do.
const PATIENCE: Duration = Duration::from_secs(120);

const NAMES: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// Nothing that asks the network for anything, and nothing of an earlier start.
const OPTIONS: [&str; 10] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-pipe",
];

/// A browser is a dozen processes: tests have theirs one after the other.
static TURN: Mutex<()> = Mutex::new(());

/// A browser. It ends when it is dropped.
pub struct Browser {
    child: Child,
    to: ChildStdin,
    from: Receiver<Value>,
    messages_sent: u64,
    /// What it said unasked.
    heard: Vec<Value>,
    _profile: tempfile::TempDir,
    _turn: MutexGuard<'static, ()>,
}

/// A page of it.
pub struct Page<'a> {
    browser: &'a mut Browser,
    session: String,
    url: String,
}

impl Browser {
    /// Starts one, or says that there is none, past the test's capture of what it prints.
    pub fn start() -> Option<Self> {
        let is_there = |name: &&&str| {
            let asked =
                Command::new(name).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
            asked.is_ok_and(|status| status.success())
        };
        let Some(name) = NAMES.iter().find(is_there) else {
            let _ =
                writeln!(std::io::stderr(), "SKIPPED: no chromium on this machine, so no page is looked at");
            return None;
        };
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let profile = tempfile::tempdir().expect("a directory");
        let mut child = Command::new("sh")
            .args(["-c", "exec \"$0\" \"$@\" 3<&0 4>&1 </dev/null >/dev/null", name])
            .args(OPTIONS)
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("a shell starts");
        let to = child.stdin.take().expect("it is piped");
        let mut said = BufReader::new(child.stdout.take().expect("it is piped"));
        let (messages, from) = channel();
        thread::spawn(move || {
            let mut message = Vec::new();
            while said.read_until(0, &mut message).is_ok_and(|length| length > 0) {
                let parsed = serde_json::from_slice(&message[..message.len() - 1]);
                if messages.send(parsed.expect("a message is JSON")).is_err() {
                    return;
                }
                message.clear();
            }
        });
        Some(Self { child, to, from, messages_sent: 0, heard: Vec::new(), _profile: profile, _turn: turn })
    }

    /// Opens a file and waits until it is loaded.
    pub fn open(&mut self, path: &Path) -> Page<'_> {
        let target = self.ask(None, "Target.createTarget", json!({ "url": "about:blank" }));
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        let session = self.ask(None, "Target.attachToTarget", attach)["sessionId"]
            .as_str()
            .expect("a session")
            .to_owned();
        let url = format!("file://{}", path.display());
        let mut page = Page { browser: self, session, url: url.clone() };
        for domain in ["Page", "Runtime", "Log", "Network"] {
            page.ask(&format!("{domain}.enable"), json!({}));
        }
        let size = json!({ "width": 1280, "height": 900, "deviceScaleFactor": 1, "mobile": false });
        page.ask("Emulation.setDeviceMetricsOverride", size);
        page.ask("Page.navigate", json!({ "url": url }));
        page.until("document.readyState === 'complete' && location.protocol === 'file:'");
        page
    }

    fn ask(&mut self, session: Option<&str>, method: &str, parameters: Value) -> Value {
        self.try_to_ask(session, method, parameters).unwrap_or_else(|error| panic!("{method}: {error}"))
    }

    /// The answer, or the error that stands in it.
    fn try_to_ask(&mut self, session: Option<&str>, method: &str, parameters: Value) -> Result<Value, Value> {
        self.messages_sent += 1;
        let id = self.messages_sent;
        let mut message = json!({ "id": id, "method": method, "params": parameters });
        if let Some(session) = session {
            message["sessionId"] = session.into();
        }
        let bytes = [message.to_string().as_bytes(), &[0]].concat();
        self.to.write_all(&bytes).and_then(|()| self.to.flush()).expect("the browser listens");
        loop {
            let answer = self.from.recv_timeout(PATIENCE).unwrap_or_else(|error| panic!("{method}: {error}"));
            if answer["id"] == id {
                return match answer.get("error") {
                    Some(error) => Err(error.clone()),
                    None => Ok(answer["result"].clone()),
                };
            }
            self.heard.push(answer);
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Asked first: killed, it leaves its children to notice.
        let _ = self.to.write_all(b"{\"id\":0,\"method\":\"Browser.close\"}\0");
        let deadline = Instant::now() + Duration::from_secs(5);
        while Instant::now() < deadline && matches!(self.child.try_wait(), Ok(None)) {
            thread::sleep(Duration::from_millis(10));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Page<'_> {
    fn ask(&mut self, method: &str, parameters: Value) -> Value {
        let session = self.session.clone();
        self.browser.ask(Some(&session), method, parameters)
    }

    /// What an expression comes to.
    pub fn evaluate(&mut self, expression: &str) -> Value {
        let asked = json!({ "expression": expression, "returnByValue": true, "userGesture": true });
        let result = self.ask("Runtime.evaluate", asked);
        assert!(result.get("exceptionDetails").is_none(), "{expression}: {result}");
        result["result"]["value"].clone()
    }

    /// The number that an expression comes to.
    pub fn number(&mut self, expression: &str) -> f64 {
        self.evaluate(&format!("Number({expression})")).as_f64().unwrap_or_else(|| panic!("{expression}"))
    }

    /// The text of an element.
    pub fn text(&mut self, selector: &str) -> String {
        let text = self.evaluate(&format!("document.querySelector({selector:?}).textContent"));
        text.as_str().unwrap_or_else(|| panic!("{selector}")).to_owned()
    }

    /// Waits until an expression is true. While one page is left for another there is nothing to ask: that is no answer yet.
    pub fn until(&mut self, expression: &str) {
        let deadline = Instant::now() + PATIENCE;
        let asked = json!({ "expression": format!("Boolean({expression})"), "returnByValue": true });
        loop {
            match self.browser.try_to_ask(Some(&self.session), "Runtime.evaluate", asked.clone()) {
                Ok(result) if result["result"]["value"] == true => return,
                Ok(_) => {}
                Err(error) => assert!(error.to_string().contains("navigated"), "{expression}: {error}"),
            }
            assert!(Instant::now() < deadline, "it never became true: {expression}");
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Clicks into the middle of an element with the mouse.
    pub fn click(&mut self, selector: &str) {
        self.evaluate(&format!("document.querySelector({selector:?}).scrollIntoView({{ block: 'center' }})"));
        let middle = format!(
            "(() => {{ const box = document.querySelector({selector:?}).getBoundingClientRect(); \
             return [box.x + box.width / 2, box.y + box.height / 2]; }})()"
        );
        let at = self.evaluate(&middle);
        for kind in ["mousePressed", "mouseReleased"] {
            let mouse = json!({ "type": kind, "x": at[0], "y": at[1], "button": "left", "clickCount": 1 });
            self.ask("Input.dispatchMouseEvent", mouse);
        }
    }

    /// Presses a key, as the element that has the focus gets it.
    pub fn press(&mut self, key: &str) {
        for kind in ["keyDown", "keyUp"] {
            self.ask("Input.dispatchKeyEvent", json!({ "type": kind, "key": key }));
        }
    }

    /// What the reader prefers: `light` or `dark`.
    pub fn prefer(&mut self, scheme: &str) {
        let feature = json!({ "name": "prefers-color-scheme", "value": scheme });
        self.ask("Emulation.setEmulatedMedia", json!({ "features": [feature] }));
    }

    /// The errors and warnings so far: of scripts, of the console, of the browser about the page.
    pub fn complaints(&mut self) -> Vec<String> {
        self.evaluate("1");
        let of_page = ["Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded"];
        let is_complaint = |said: &&Value| said["method"].as_str().is_some_and(|it| of_page.contains(&it));
        self.browser.heard.iter().filter(is_complaint).map(|said| said["params"].to_string()).collect()
    }

    /// What the page asked for, beside itself.
    pub fn requests(&mut self) -> Vec<String> {
        self.evaluate("1");
        let sent = self.browser.heard.iter().filter(|said| said["method"] == "Network.requestWillBeSent");
        let urls = sent.filter_map(|said| said["params"]["request"]["url"].as_str());
        urls.filter(|url| *url != self.url).map(str::to_owned).collect()
    }
}
