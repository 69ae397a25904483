//! The page of a finding: it loads without an error, steps to the end, shows the circle, and can be read by anybody.

use std::sync::atomic::AtomicBool;
use std::time::Duration;

use fantoccini::Locator;
use fantoccini::error::CmdError;
use fantoccini::key::Key;
use serde_json::json;
use watchmux::hunt::replay::Replay;
use watchmux::hunt::{Effort, Engines, Group, Jobs, Outcome, Trial};
use watchmux::report::html;
use watchmux::script::{ContractKind, text};
use watchmux::subject;
use watchmux_browser::Browser;

const HANG: &str = "mux incoming=0 queue=0 when-full=wait
lane
  watch a
  action
  stop a
schedule setup*3 dispatcher*3 lane0*7 dispatcher*4 lane0";

const VIOLATION: &str = "mux incoming=1 queue=0 when-full=wait
lane
  action
  watch a
  recv a
schedule setup*3 dispatcher*3 lane0*9 dispatcher*6 lane0 stop-a*6 close*3 dispatcher*4";

const PANIC: &str = "mux incoming=0 queue=0 when-full=wait\nlane\n  shutdown\n  action";

/// The page of what the script shows on the subject. `again` is what it says is to be typed.
fn page(name: &str, contract: ContractKind, script: &str, again: &str) -> Vec<u8> {
    page_on(Engines::Fibers, name, contract, script, again)
}

fn page_on(engines: Engines, name: &str, contract: ContractKind, script: &str, again: &str) -> Vec<u8> {
    let subject = subject::all().into_iter().find(|subject| subject.name() == name).unwrap();
    let trial = Trial::new(subject, contract, Duration::from_secs(60));
    let entry = text::parse("the test's", script).unwrap();
    let replayed = Replay {
        trial: &trial,
        script: &entry.script,
        schedule: entry.schedule.as_ref(),
        choices: None,
        strict: true,
        engines,
        expected: None,
        times: None,
        seed: 1,
    }
    .run(Effort { jobs: Jobs::each(1), time: None, stop: &AtomicBool::new(false) });
    let found = replayed.found.expect("the script shows a finding");
    let outcome = Outcome {
        subject: name.to_owned(),
        contract,
        seed: Some(1),
        phases: replayed.phases,
        interrupted: false,
        findings: vec![Group { count: 1, found, shrunk: None, saved: None }],
    };
    let mut page = Vec::new();
    html::finding(&mut page, &outcome, &outcome.findings[0], &trial, again).unwrap();
    page
}

fn hang() -> Vec<u8> {
    page("k8s-906", ContractKind::Own, HANG, "watchmux replay 906.script")
}

async fn texts(browser: &Browser, selector: &str) -> Result<Vec<String>, CmdError> {
    let found = browser
        .ask(&format!("[...document.querySelectorAll({selector:?})].map((node) => node.textContent)"))
        .await?;
    Ok(serde_json::from_value(found).unwrap())
}

#[tokio::test]
async fn it_steps_to_the_end_and_shows_the_circle() -> Result<(), CmdError> {
    let browser = Browser::start(1440, 1200).await;
    browser.open(&hang()).await?;
    assert_eq!(
        texts(&browser, "h1").await?,
        ["lane0 waits in stop for lock watchers, held by dispatcher, which waits to send to watcher a, \
          which only lane0 reads"]
    );
    assert_eq!(texts(&browser, ".verdict, .class").await?, ["hang", "mixed deadlock: channel & lock"]);
    assert_eq!(texts(&browser, ".chart .task").await?, ["setup", "dispatcher", "lane0"]);

    let body = browser.client.find(Locator::Css("body")).await?;
    let key = |key: Key| {
        let body = body.clone();
        async move { body.send_keys(&char::from(key).to_string()).await }
    };
    key(Key::Home).await?;
    assert_eq!(texts(&browser, "#controls output").await?, ["2 of 18"]);
    assert_eq!(texts(&browser, ".tasks .stuck b").await?, [""; 0]);
    let later = "document.querySelector('.cycle').classList.contains('later')";
    assert_eq!(browser.ask(later).await?, json!(true), "nobody is blocked yet");
    assert_eq!(texts(&browser, "#program li.done, #program li.open").await?, [""; 0]);

    let mut at = Vec::new();
    loop {
        let before = texts(&browser, "#controls output").await?;
        key(Key::Right).await?;
        let after = texts(&browser, "#controls output").await?;
        if after == before {
            break;
        }
        at.extend(after);
    }
    assert_eq!((at.len(), at.last().map(String::as_str)), (11, Some("18 of 18")), "{at:?}");
    assert_eq!(texts(&browser, ".tasks .stuck b").await?, ["dispatcher", "lane0"]);
    assert_eq!(browser.ask(later).await?, json!(false));
    assert_eq!(
        texts(&browser, ".cycle text.did").await?,
        ["waits for lock watchers", "waits to send to watcher a", "which only lane0 reads"]
    );
    assert_eq!(texts(&browser, ".chain b").await?, ["lane0", "dispatcher", "lane0"]);
    assert_eq!(texts(&browser, "#program li.here").await?, ["stop anever returns"]);
    let watchers = texts(&browser, ".objects li.changed .queue").await?;
    assert_eq!(watchers, ["held by dispatcher", "waited for by lane0"]);

    // Back, by the button and by the slider.
    browser.client.find(Locator::Css("#controls button[aria-label^='Step back']")).await?.click().await?;
    assert_eq!(texts(&browser, "#controls output").await?, ["17 of 18"]);
    browser
        .client
        .find(Locator::Css("#controls input"))
        .await?
        .send_keys(&char::from(Key::Home).to_string())
        .await?;
    assert_eq!(texts(&browser, "#controls output").await?, ["2 of 18"]);
    // An op of the script leads to where it is called.
    browser.client.find(Locator::Css("#program li:last-child button")).await?.click().await?;
    assert_eq!(texts(&browser, "#now .did").await?, ["lane0 calls stop a"]);
    browser.client.find(Locator::Css("#all")).await?.click().await?;
    assert_eq!(texts(&browser, ".chart .number").await?.len(), 18, "every sync point is shown on demand");
    assert_eq!(browser.console().await?, [""; 0]);
    browser.client.close().await
}

#[tokio::test]
async fn what_contradicts_a_call_is_marked() -> Result<(), CmdError> {
    let browser = Browser::start(1440, 1200).await;
    browser.open(&page("k8s-1321", ContractKind::Strict, VIOLATION, "")).await?;
    assert_eq!(texts(&browser, ".verdict").await?, ["violation"]);
    assert_eq!(texts(&browser, "tr.shows code").await?, ["recv a"]);
    assert_eq!(texts(&browser, "tr.against code").await?, ["action", "watch a"]);
    assert_eq!(browser.ask("document.querySelectorAll('.chart .op.against').length").await?, json!(2));
    assert_eq!(browser.console().await?, [""; 0]);
    browser.client.close().await
}

#[tokio::test]
async fn of_free_threads_it_shows_the_calls() -> Result<(), CmdError> {
    let browser = Browser::start(1440, 1200).await;
    browser.open(&page_on(Engines::Threads, "k8s-1321", ContractKind::Strict, PANIC, "")).await?;
    assert_eq!(texts(&browser, ".verdict").await?, ["panic"]);
    let did = texts(&browser, ".chart text.did").await?;
    assert_eq!(did, ["calls shutdown", "returns from shutdown", "calls action", "returns from action"]);
    browser.client.find(Locator::Css("#controls button[aria-label^='First']")).await?.click().await?;
    assert_eq!(texts(&browser, "#controls output").await?, ["1 of 4"]);
    assert_eq!(browser.console().await?, [""; 0]);
    browser.client.close().await
}

#[tokio::test]
async fn it_loads_nothing_and_takes_nothing_for_markup() -> Result<(), CmdError> {
    let browser = Browser::start(1440, 1200).await;
    let hostile = "</script><img src=x onerror=\"document.title='taken over'\"><!-- <script>";
    browser.open(&page("k8s-906", ContractKind::Own, HANG, hostile)).await?;
    assert!(texts(&browser, ".facts dd").await?.contains(&hostile.to_owned()));
    assert_eq!(browser.client.title().await?, "hang in k8s-906: mixed deadlock: channel & lock");
    assert_eq!(browser.ask("document.images.length").await?, json!(0));
    assert_eq!(browser.ask("performance.getEntriesByType('resource').length").await?, json!(0));
    assert_eq!(browser.console().await?, [""; 0]);
    browser.client.close().await
}

/// The texts that have less contrast than WCAG's AA asks of small ones, with what they have.
const FAINT: &str = "(() => {
    const parse = (color) => (color.match(/[\\d.]+/g) ?? []).map(Number);
    const light = ([r, g, b]) => [r, g, b].map((part) => part / 255).map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
        .reduce((sum, part, index) => sum + part * [0.2126, 0.7152, 0.0722][index], 0);
    const ground = (node) => {
        for (; node; node = node.parentElement) {
            const color = parse(getComputedStyle(node).backgroundColor);
            if (color.length === 3 || color[3] === 1) return color;
        }
        return parse(getComputedStyle(document.documentElement).backgroundColor);
    };
    const faint = [];
    let count = 0;
    for (const node of document.querySelectorAll('body *:not(script)')) {
        const own = [...node.childNodes].some((child) => child.nodeType === 3 && child.data.trim() !== '');
        if (!own || node.closest(':disabled') || node.closest('noscript, title')) continue;
        count += 1;
        const style = getComputedStyle(node);
        const [one, other] = [light(parse(node.closest('svg') ? style.fill : style.color)), light(ground(node))].sort((a, b) => b - a);
        const contrast = (one + 0.05) / (other + 0.05);
        if (contrast < 4.5) faint.push(`${node.textContent}: ${contrast.toFixed(2)}`);
    }
    return count > 60 ? faint : [`only ${count} texts`];
})()";

#[tokio::test]
async fn it_is_legible_in_light_and_dark_and_fits_a_narrow_window() -> Result<(), CmdError> {
    let browser = Browser::start(1440, 1200).await;
    let mut grounds = Vec::new();
    for page in [hang(), page("k8s-1321", ContractKind::Strict, VIOLATION, "")] {
        for scheme in ["light", "dark"] {
            browser.prefer(scheme).await?;
            browser.open(&page).await?;
            grounds.push(browser.ask("getComputedStyle(document.body).backgroundColor").await?);
            assert_eq!(browser.ask(FAINT).await?, json!([]), "{scheme}");
        }
    }
    assert_ne!(grounds[0], grounds[1]);
    for width in [1440, 1000, 500] {
        browser.client.set_window_size(width, 900).await?;
        let over = "document.documentElement.scrollWidth - document.documentElement.clientWidth";
        assert_eq!(browser.ask(over).await?, json!(0), "{width}");
    }
    assert_eq!(browser.console().await?, [""; 0]);
    browser.client.close().await
}
