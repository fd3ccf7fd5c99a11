//! Against a real server with a real, tiny model: llama-cpp-python, set up by `scripts/tiny-llm/setup.sh`.
//!
//! Without it these tests fail and say so, unless `INGLE_SKIP_TINY_LLM=1` is set.

use ingle_endpoint::{Endpoint, EndpointError, MAX_TITLE_CHARS, Settings};
use serde_json::{Value, json};
use std::fs::File;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tempfile::TempDir;

static GO: AtomicBool = AtomicBool::new(false);
const SKIP: &str = "INGLE_SKIP_TINY_LLM";

/// Where the server is, or nothing if its tests are to be skipped.
fn home() -> Option<PathBuf> {
    if std::env::var_os(SKIP).is_some_and(|value| value == "1") {
        return None;
    }
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache.or_else(|| Some(std::env::home_dir()?.join(".cache")));
    let home = cache.expect("a home folder").join("ingle/tiny-llm");
    assert!(
        home.join("stamp").exists(),
        "there is no server in {}: run scripts/tiny-llm/setup.sh, or set {SKIP}=1",
        home.display()
    );
    Some(home)
}

/// A server that ends with the test.
struct Server {
    process: Child,
    base: String,
    folder: TempDir,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

impl Server {
    fn start(home: &Path, options: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let log = File::create(folder.path().join("log")).expect("a log");
        let address = TcpListener::bind("127.0.0.1:0")
            .and_then(|l| l.local_addr())
            .expect("a port");
        let process = Command::new(home.join("venv/bin/python"))
            .args([
                "-m",
                "llama_cpp.server",
                "--host",
                "127.0.0.1",
                "--n_ctx",
                "8192",
            ])
            .args(["--port", &address.port().to_string()])
            .arg("--model")
            .arg(home.join("model.gguf"))
            .args(options)
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a log"))
            .stderr(log)
            .spawn()
            .expect("the server starts");
        let base = format!("http://{address}/v1");
        let mut server = Self {
            process,
            base,
            folder,
        };
        let begin = Instant::now();
        while TcpStream::connect(address).is_err() {
            let is_running = server.process.try_wait().expect("its state").is_none();
            assert!(
                is_running && begin.elapsed() < Duration::from_mins(2),
                "{}",
                server.log()
            );
            std::thread::sleep(Duration::from_millis(50));
        }
        server
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).expect("a log")
    }

    /// How many requests it has answered so far, whatever it said.
    fn requests(&self) -> usize {
        self.log().matches("POST /v1/completions").count()
    }

    fn settings(&self) -> Settings {
        let mut settings =
            Settings::new(&self.base, "tiny", self.folder.path().join("answers.jsonl"));
        "INGLE_NO_SUCH_VARIABLE".clone_into(&mut settings.key_variable);
        settings.first_wait = Duration::from_millis(20);
        settings
    }

    fn open(&self) -> Endpoint {
        Endpoint::new(self.settings()).expect("an endpoint")
    }

    /// The model's own log-probability of each token after a prompt, by the token's text.
    fn next(&self, prompt: &str) -> Value {
        let body = json!({"prompt": prompt, "max_tokens": 1, "temperature": 0.0, "logprobs": 1000});
        let url = format!("{}/completions", self.base);
        let request = ureq::post(url).header("Content-Type", "application/json");
        let answer = request
            .send(&body.to_string())
            .and_then(|mut r| r.body_mut().read_to_vec());
        let answer: Value = serde_json::from_slice(&answer.expect("an answer")).expect("JSON");
        answer["choices"][0]["logprobs"]["top_logprobs"][0].clone()
    }
}

fn history(titles: &[&str]) -> Vec<String> {
    titles.iter().map(|&title| title.to_owned()).collect()
}

/// Requests that find out what this server can do: one, a list of prompts that it refuses twice, one more.
const CHECKS: usize = 4;

#[test]
fn judges_every_kind_of_title_and_asks_nothing_twice() {
    let Some(home) = home() else { return };
    let server = Server::start(&home, &["--logits_all", "true"]);
    let long = "Long title ".repeat(500);
    let histories = [
        history(&["Red lipstick", "Dry shampoo", "Claw hammer", "Red lipstick"]),
        history(&[
            "A 12\" \\ pan",
            "two\nlines",
            "",
            "cr\u{e8}me 🧴",
            "髪",
            &long,
        ]),
        history(&["alone"]),
    ];
    let mut seen = Vec::new();
    let judged = server
        .open()
        .judge(&histories, &GO, |progress| seen.push(progress));
    let judged = judged.expect("judged");
    for (found, titles) in judged.iter().zip(&histories) {
        assert_eq!(found.len(), titles.len());
        assert!(found.iter().all(|&p| p > 0.0 && p < 1.0), "{found:?}");
    }
    assert_eq!(judged[0][0], judged[0][3], "equal titles");
    assert!(judged[0][1] != judged[0][2], "different titles");
    assert_eq!(judged[1][2], 0.5, "nothing to read");
    assert_eq!(judged[2], [0.5], "nothing to compare with");
    let answered: Vec<usize> = seen.iter().map(|progress| progress.answered).collect();
    assert_eq!(
        answered,
        (0..=8).collect::<Vec<_>>(),
        "one prompt a request"
    );
    assert!(seen.iter().all(|progress| progress.total == 8));
    assert_eq!(server.requests(), CHECKS + 8);

    let again = server.open().judge(&histories, &GO, |_| ()).expect("kept");
    assert_eq!(again, judged);
    assert_eq!(server.requests(), CHECKS + 8);
    keeps_answers_without_a_server(server, &histories, &judged);
}

/// And keeps those of one model from another.
fn keeps_answers_without_a_server(server: Server, histories: &[Vec<String>], judged: &[Vec<f32>]) {
    let (folder, base) = stop(server);
    let mut settings = Settings::new(base, "tiny", folder.path().join("answers.jsonl"));
    settings.attempts = 1;
    let open = |settings| Endpoint::new(settings).expect("an endpoint");
    let offline = open(settings.clone()).judge(histories, &GO, |_| ());
    assert_eq!(offline.expect("kept"), judged);
    "other".clone_into(&mut settings.model);
    let error = open(settings).judge(histories, &GO, |_| ());
    let error = error.expect_err("another model's answers are its own");
    assert!(matches!(error, EndpointError::GaveUp { .. }), "{error}");
}

/// Ends the server; its folder and its address stay.
fn stop(mut server: Server) -> (TempDir, String) {
    server.process.kill().expect("it runs");
    server.process.wait().expect("it ends");
    let folder = std::mem::replace(&mut server.folder, tempfile::tempdir().expect("a folder"));
    (folder, server.base.clone())
}

#[test]
fn log_probabilities_are_those_of_the_model() {
    let Some(home) = home() else { return };
    let server = Server::start(&home, &["--logits_all", "true"]);
    // No two neighbours of these are one token, so the prompt can be cut between them; and no byte has
    // the name of one.
    let tokens = ["th", " X", " Q", "ing", " J"];
    let titles = [tokens.concat(), "Red lipstick".to_owned()];
    let scores = server
        .open()
        .score(&[titles.to_vec()], &GO, |_| ())
        .expect("scored");
    let mut context = String::from(
        "### Instruction:\nThe input lists the titles of the items that one shopper clicked, oldest first. Some \
clicks may be noise: they do not reflect what the shopper is interested in. Which titles do not belong with the \
others? Name them in quotes, or say none.\n\n### Input:\n1. \"th X Qing J\"\n2. \"Red lipstick\"\n\n\
### Response:\nNoise Items: \"",
    );
    let mut sum = 0.0;
    for token in tokens {
        sum += server.next(&context)[token]
            .as_f64()
            .expect("every token has one");
        context.push_str(token);
    }
    let (expected, found) = (
        sum / tokens.len() as f64,
        f64::from(scores[0][0].expect("a score")),
    );
    assert!((expected - found).abs() < 1e-4, "{expected} {found}");
}

#[test]
fn stopping_keeps_what_is_done() {
    let Some(home) = home() else { return };
    let server = Server::start(&home, &["--logits_all", "true"]);
    let histories = [
        history(&["a", "b", "c", "d", "e"]),
        history(&["b", "f", "g"]),
    ];
    let mut settings = server.settings();
    settings.connections = 1;
    let stop = AtomicBool::new(false);
    let endpoint = Endpoint::new(settings.clone()).expect("an endpoint");
    let error = endpoint.judge(&histories, &stop, |progress| {
        stop.store(progress.answered == 3, Ordering::Relaxed);
    });
    let Err(EndpointError::Stopped { answered, total: 8 }) = error else {
        panic!("{error:?}");
    };
    assert!((3..8).contains(&answered), "{answered}");
    assert_eq!(server.requests(), CHECKS + answered);
    drop(endpoint);
    let endpoint = Endpoint::new(settings).expect("an endpoint");
    let resumed = endpoint.judge(&histories, &GO, |_| ()).expect("the rest");
    assert_eq!(server.requests(), 2 * CHECKS + 8);
    let mut fresh = server.settings();
    fresh.cache = server.folder.path().join("fresh.jsonl");
    let fresh = Endpoint::new(fresh)
        .expect("an endpoint")
        .judge(&histories, &GO, |_| ());
    assert_eq!(fresh.expect("all at once"), resumed);
}

#[test]
fn titles_beyond_the_limit_are_read_alike() {
    let Some(home) = home() else { return };
    let server = Server::start(&home, &["--logits_all", "true"]);
    let (a, b) = ("x".repeat(MAX_TITLE_CHARS), "x".repeat(5_000));
    let judged = server
        .open()
        .judge(&[history(&[&a, &b, "lipstick"])], &GO, |_| ())
        .expect("judged");
    assert_eq!(judged[0][0], judged[0][1]);
}

#[test]
fn refuses_log_probabilities_of_the_wrong_place() {
    let Some(home) = home() else { return };
    let no_bos = "tokenizer.ggml.add_bos_token=bool:false";
    let server = Server::start(&home, &["--logits_all", "true", "--kv_overrides", no_bos]);
    let error = server
        .open()
        .judge(&[history(&["a", "b"])], &GO, |_| ())
        .expect_err("wrong places");
    assert!(
        matches!(error, EndpointError::Unsupported { .. }),
        "{error}"
    );
    assert!(
        error.to_string().contains("at the wrong place; use vLLM"),
        "{error}"
    );
}

#[test]
fn says_what_a_server_lacks_that_keeps_no_logits() {
    let Some(home) = home() else { return };
    let server = Server::start(&home, &["--logits_all", "false"]);
    let mut settings = server.settings();
    settings.attempts = 2;
    let endpoint = Endpoint::new(settings).expect("an endpoint");
    let error = endpoint
        .judge(&[history(&["a", "b"])], &GO, |_| ())
        .expect_err("no log-probabilities");
    assert!(error.to_string().contains("logits_all"), "{error}");
}
