//! One headless Chromium with an empty profile, and what the tests ask of it. Every wait is bounded.

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use thirtyfour::cdp::Cdp;
use thirtyfour::{
    By, ChromiumLikeCapabilities, DesiredCapabilities, LoggingPrefsLogLevel, WebDriver,
};

use crate::harness::eventually;

const FLAGS: [&str; 9] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
];

/// A screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Screen {
    Light,
    Dark,
    Phone,
}

impl Screen {
    fn name(self) -> &'static str {
        match self {
            Screen::Light => "light",
            Screen::Dark => "dark",
            Screen::Phone => "phone",
        }
    }
}

/// A browser that looks at one console.
pub(crate) struct Browser {
    driver: WebDriver,
    base: String,
    _chromedriver: Killed,
    _profile: tempfile::TempDir,
}

/// A process that is killed when the test ends; chromedriver takes its browser with it.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What the environment must say.
pub(crate) fn told(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| {
        panic!("these tests need {name}; tests/browser/main.rs says what for, .ci/browser sets it")
    })
}

impl Browser {
    /// Opens a browser for the console at `base`.
    pub(crate) async fn open(base: &str) -> Browser {
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let chromedriver = Command::new(told("RESTOCK_TEST_CHROMEDRIVER"))
            .arg(format!("--port={port}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let url = format!("http://127.0.0.1:{port}");
        let http = reqwest::Client::new();
        eventually("chromedriver", async || {
            let answer = http.get(format!("{url}/status")).send().await.ok()?;
            let status: Value = answer.json().await.ok()?;
            (status["value"]["ready"] == true).then_some(())
        })
        .await;
        let profile = tempfile::tempdir().unwrap();
        let mut wanted = DesiredCapabilities::chrome();
        for flag in FLAGS {
            wanted.add_arg(flag).unwrap();
        }
        let folder = format!("--user-data-dir={}", profile.path().display());
        wanted.add_arg(&folder).unwrap();
        wanted
            .set_browser_log_level(LoggingPrefsLogLevel::All)
            .unwrap();
        let driver = WebDriver::new(url, wanted).await.unwrap();
        let browser = Browser {
            driver,
            base: base.to_owned(),
            _chromedriver: Killed(chromedriver),
            _profile: profile,
        };
        browser.screen(Screen::Light).await;
        browser
    }

    /// Goes to a page of the console and checks that it kept its policy.
    pub(crate) async fn go(&self, path: &str) {
        self.driver
            .goto(format!("{}{path}", self.base))
            .await
            .unwrap();
        self.check_policy().await;
    }

    pub(crate) async fn path(&self) -> String {
        let url = self.driver.current_url().await.unwrap();
        url.path().to_owned()
    }

    /// Runs a script in the page.
    pub(crate) async fn run(&self, script: &str, args: Vec<Value>) -> Value {
        let answer = self.driver.execute(script, args).await.unwrap();
        answer.json().clone()
    }

    /// What a reader sees.
    pub(crate) async fn text(&self) -> String {
        let text = self.run("return document.body.innerText", vec![]).await;
        text.as_str().unwrap().to_owned()
    }

    /// Waits until the page shows this text.
    pub(crate) async fn sees(&self, part: &str) {
        eventually(&format!("the text {part:?}"), async || {
            // A page may be leaving just now.
            let answer = self
                .driver
                .execute("return document.body.innerText", vec![])
                .await
                .ok()?;
            let text = answer.json().as_str()?.to_owned();
            text.contains(part).then_some(())
        })
        .await;
    }

    /// Waits until the execution on the page stands so.
    pub(crate) async fn stands(&self, status: &str) {
        eventually(&format!("the status {status}"), async || {
            let script = "return document.querySelector('#head .status')?.innerText ?? ''";
            let answer = self.driver.execute(script, vec![]).await.ok()?;
            let text = answer.json().as_str()?.to_lowercase();
            text.contains(status).then_some(())
        })
        .await;
    }

    /// Clicks the link or button with exactly this text, once it is there.
    pub(crate) async fn click(&self, text: &str) {
        let way = format!(
            "//main//*[self::a or self::button or self::summary][normalize-space()='{text}']"
        );
        self.click_at(By::XPath(&way), text).await;
        self.check_policy().await;
    }

    /// Clicks the first element that the selector finds, once it is there.
    pub(crate) async fn click_css(&self, selector: &str) {
        self.click_at(By::Css(selector), selector).await;
        self.check_policy().await;
    }

    async fn click_at(&self, by: By, what: &str) {
        eventually(&format!("a click on {what:?}"), async || {
            let element = self.driver.find(by.clone()).await.ok()?;
            // Where a live update replaced it meanwhile, it is looked for again.
            element.click().await.ok()
        })
        .await;
    }

    /// Puts a text into a field, as if it had been typed.
    pub(crate) async fn fill(&self, selector: &str, text: &str) {
        self.run(
            "const field = document.querySelector(arguments[0]); field.focus(); field.value = arguments[1];
             field.dispatchEvent(new Event('input', {bubbles: true}));",
            vec![json!(selector), json!(text)],
        )
        .await;
    }

    /// Presses keys, wherever the focus is.
    pub(crate) async fn keys(&self, keys: &str) {
        let element = self.driver.find(By::Css("body")).await.unwrap();
        element.send_keys(keys).await.unwrap();
    }

    /// A field's text.
    pub(crate) async fn value(&self, selector: &str) -> String {
        let script = "return document.querySelector(arguments[0]).value";
        let value = self.run(script, vec![json!(selector)]).await;
        value.as_str().unwrap().to_owned()
    }

    pub(crate) async fn screen(&self, screen: Screen) {
        let tools = Cdp::new(self.driver.handle().clone());
        let (width, height) = match screen {
            Screen::Phone => (390, 844),
            _ => (1_280, 800),
        };
        let size =
            json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        let colours = if screen == Screen::Dark {
            "dark"
        } else {
            "light"
        };
        let media = json!({ "features": [
            { "name": "prefers-color-scheme", "value": colours },
            { "name": "prefers-reduced-motion", "value": "reduce" },
        ] });
        for (command, args) in [
            ("Emulation.setDeviceMetricsOverride", size),
            ("Emulation.setEmulatedMedia", media),
        ] {
            tools.send_raw(command, args).await.unwrap();
        }
    }

    /// A picture of the page for the documents: `<name>-<screen>.png`.
    pub(crate) async fn picture(&self, name: &str, screen: Screen) {
        self.screen(screen).await;
        let png = self.driver.screenshot_as_png().await.unwrap();
        assert!(png.len() > 5_000, "an empty picture of {name}");
        if let Ok(folder) = std::env::var("RESTOCK_TEST_IMAGES") {
            let file = PathBuf::from(folder).join(format!("{name}-{}.png", screen.name()));
            std::fs::write(file, png).unwrap();
        }
        self.screen(Screen::Light).await;
    }

    /// Fails on anything that the page's policy kept it from, and on errors of its script.
    pub(crate) async fn check_policy(&self) {
        let log = self.driver.get_log("browser").await.unwrap();
        let told: Vec<_> = log
            .into_iter()
            .filter(|entry| {
                entry.message.contains("Content Security Policy")
                    || matches!(entry.source.as_deref(), Some("security" | "javascript"))
            })
            .map(|entry| entry.message)
            .collect();
        assert_eq!(told, Vec::<String>::new(), "on {}", self.path().await);
    }

    /// Fails on anything that axe finds wrong for people who see, hear or move differently.
    pub(crate) async fn check_accessible(&self, screen: Screen) {
        self.screen(screen).await;
        let axe = std::fs::read_to_string(told("RESTOCK_TEST_AXE")).unwrap();
        self.run(&format!("if (!window.axe) {{ {axe} }}"), vec![])
            .await;
        let found = self
            .driver
            .execute_async(
                "const done = arguments[arguments.length - 1];
                 axe.run(document, {resultTypes: ['violations']}).then(
                   (r) => done(r.violations.map((v) => `${v.id}: ${v.help}: ` + v.nodes.map((n) => n.html.slice(0, 160)).join(' | '))),
                   (e) => done([String(e)]));",
                vec![],
            )
            .await
            .unwrap();
        let found: Vec<String> = found.convert().unwrap();
        assert!(
            found.is_empty(),
            "{} ({}) is not accessible:\n{}",
            self.path().await,
            screen.name(),
            found.join("\n")
        );
        self.screen(Screen::Light).await;
    }

    /// Fails where the page is wider than the screen.
    pub(crate) async fn check_fits(&self, screen: Screen) {
        self.screen(screen).await;
        let over = self
            .run(
                "return document.documentElement.scrollWidth - document.documentElement.clientWidth",
                vec![],
            )
            .await;
        assert_eq!(
            over,
            0,
            "{} is too wide for a {}",
            self.path().await,
            screen.name()
        );
        self.screen(Screen::Light).await;
    }

    /// Closes the browser before its driver goes.
    pub(crate) async fn close(self) {
        self.check_policy().await;
        self.driver.clone().quit().await.unwrap();
    }
}
