//! A real Chromium without a window, driven by its WebDriver. Both must be installed: `chromium` and `chromedriver`.

use std::io::{BufRead, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use fantoccini::error::CmdError;
use fantoccini::wd::WebDriverCompatibleCommand;
use fantoccini::{Client, ClientBuilder};
use http::Method;
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tempfile::TempDir;
use url::{ParseError, Url};

/// A browser of its own, with a profile of its own; both are gone once it is dropped.
pub struct Browser {
    /// What drives it.
    pub client: Client,
    _driver: Driver,
    folder: TempDir,
}

/// The process that drives it. The browser ends with it.
struct Driver(Child);

impl Drop for Driver {
    fn drop(&mut self) {
        // One that has ended already is as good.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Browser {
    /// Starts one, in a window of this size.
    ///
    /// # Panics
    /// If it cannot be started.
    pub async fn start(width: u32, height: u32) -> Browser {
        let folder = tempfile::tempdir().expect("there is room for a profile");
        let (driver, port) = start_driver();
        let profile = folder.path().join("profile");
        let options = json!({
            "browserName": "chrome",
            "goog:loggingPrefs": { "browser": "ALL" },
            "goog:chromeOptions": { "args": [
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--disable-quic",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                format!("--window-size={width},{height}"),
                format!("--user-data-dir={}", profile.display()),
            ] },
        });
        let Value::Object(options) = options else { unreachable!("it is written so") };
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(options)
            .connect(&format!("http://127.0.0.1:{port}"))
            .await
            .expect("chromium starts");
        Browser { client, _driver: driver, folder }
    }

    /// Opens a page of this content, from a file.
    ///
    /// # Errors
    /// If the browser says so.
    ///
    /// # Panics
    /// If the file cannot be written.
    pub async fn open(&self, page: &[u8]) -> Result<(), CmdError> {
        let path = self.folder.path().join("page.html");
        std::fs::File::create(&path)
            .and_then(|mut file| file.write_all(page))
            .expect("a file can be written");
        self.client.goto(&address(&path)).await
    }

    /// What a script in the page gives back.
    ///
    /// # Errors
    /// If the browser says so, or the script throws.
    pub async fn ask(&self, script: &str) -> Result<Value, CmdError> {
        self.client.execute(&format!("return {script}"), Vec::new()).await
    }

    /// What the console has been told since this was asked last.
    ///
    /// # Errors
    /// If the browser says so.
    pub async fn console(&self) -> Result<Vec<String>, CmdError> {
        let log = self.client.issue_cmd(Own { path: "se/log", body: json!({ "type": "browser" }) }).await?;
        Ok(log.as_array().into_iter().flatten().map(|entry| entry["message"].to_string()).collect())
    }

    /// Lets the page believe that the user prefers this scheme of colours: `light` or `dark`.
    ///
    /// # Errors
    /// If the browser says so.
    pub async fn prefer(&self, scheme: &str) -> Result<(), CmdError> {
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        let body = json!({ "cmd": "Emulation.setEmulatedMedia", "params": { "features": features } });
        self.client.issue_cmd(Own { path: "goog/cdp/execute", body }).await.map(drop)
    }
}

fn start_driver() -> (Driver, u16) {
    let started = Command::new("chromedriver").arg("--port=0").stdout(Stdio::piped()).spawn();
    let mut child = started.expect("chromedriver is installed: apt-get install chromium chromium-driver");
    let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
    let driver = Driver(child);
    let port = lines.by_ref().map_while(Result::ok).find_map(|line| {
        line.split_once("successfully on port ").and_then(|(_, port)| port.trim_end_matches('.').parse().ok())
    });
    (driver, port.expect("chromedriver says which port it listens on"))
}

fn address(path: &Path) -> String {
    Url::from_file_path(path).expect("the path is absolute").into()
}

/// A command that only Chromium's driver knows.
#[derive(Debug)]
struct Own {
    path: &'static str,
    body: Value,
}

impl WebDriverCompatibleCommand for Own {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        base.join(&format!("session/{}/{}", session.unwrap_or_default(), self.path))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(self.body.to_string()))
    }
}
