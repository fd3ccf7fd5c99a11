//! `ingle reader` end to end, on a small random language model.

use super::shop::Shop;
use serde_json::Value;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;

#[test]
fn a_prior_is_fitted_asked_and_refined() {
    let shop = Shop::new();
    ingle_lm::testing::write(&shop.path("lm"), 1);
    shop.ok("corrupt --data data --rate 0.2 --seed 7 --out noisy");
    shop.ok(
        "reader fit --data data --out reader --lm lm --histories 40 --epochs 2 --adapt-layers 1",
    );
    assert_eq!(shop.metrics("reader").len(), 2);
    shop.ok("reader score reader --data data --split train --out train.safetensors --lm lm");
    let figures = "reader score reader --data noisy --split unseen --out x.safetensors --lm lm";
    let figures = shop.json(&format!("{figures} --evaluate --json"));
    assert!(figures["auc"].is_number() && figures["ece"].is_number());
    let users = fs::read_to_string(shop.path("data/users.jsonl")).expect("users");
    let items = fs::read_to_string(shop.path("data/items.jsonl")).expect("items");
    let id = |text: &str, key: &str| {
        let line = text.lines().next().expect("a line");
        let line: serde_json::Value = serde_json::from_str(line).expect("JSON");
        line[key].clone()
    };
    let line = serde_json::json!({
        "user": id(&users, "user_id"), "items": [id(&items, "item_id")], "noise": [0.7],
    });
    let refresh =
        "reader refresh reader --data data --disputed disputed.jsonl --lm lm --out second";
    fs::write(shop.path("disputed.jsonl"), format!("{line}\nnot JSON\n")).expect("written");
    let told = shop.refused(refresh);
    assert!(told.contains("disputed.jsonl:2:"), "{told}");
    fs::write(shop.path("disputed.jsonl"), format!("{line}\n")).expect("written");
    shop.ok(refresh);
    shop.ok("reader score second --data data --split test --out test.safetensors --lm lm");
}

#[test]
fn without_weights_every_command_says_how_to_get_them() {
    let shop = Shop::new();
    ingle_lm::testing::write(&shop.path("lm"), 1);
    shop.ok("reader fit --data data --out reader --lm lm --histories 8 --epochs 1");
    fs::write(shop.path("disputed.jsonl"), "\n").expect("written");
    for command in [
        "reader fit --data data --out x --lm none",
        "reader score reader --data data --split test --out x --lm none",
    ] {
        let told = shop.refused(command);
        assert!(told.contains("scripts/fetch-lm"), "{told}");
    }
    assert!(!shop.path("x").exists(), "nothing is written for bad input");
}

#[test]
fn a_larger_model_is_tuned_with_what_was_replaced() {
    let shop = Shop::new();
    let export = "reader export --data data --split train --rate 0.4 --copies 2 --out";
    let told = shop.ok(&format!("{export} tuning.jsonl"));
    let text = fs::read_to_string(shop.path("tuning.jsonl")).expect("written");
    let lines: Vec<Value> = text.lines().map(json).collect();
    assert!(told.contains(&format!("wrote {} histories", lines.len())));
    let noisy = |line: &Value| {
        let of = |key: &str| line[key].as_array().expect("a list").clone();
        assert!(of("items").len() == of("noise").len() && of("titles").len() == of("noise").len());
        of("noise").into_iter().filter(|label| label == 1).count()
    };
    assert!(lines.iter().map(noisy).sum::<usize>() > lines.len() / 2);
    shop.ok(&format!("{export} again.jsonl"));
    assert_eq!(
        fs::read_to_string(shop.path("again.jsonl")).expect("written"),
        text
    );
}

#[test]
fn a_larger_model_is_asked_through_a_script() {
    let shop = Shop::new();
    shop.ok("corrupt --data data --rate 0.2 --seed 7 --out noisy");
    shop.ok("reader export --data noisy --split unseen --out histories.jsonl");
    let histories = fs::read_to_string(shop.path("histories.jsonl")).expect("written");
    // Busy at first, then of no use, then as models are: with words around what was asked for.
    let server = Chat::start(|nth, titles| match nth {
        0 => Err("503 Service Unavailable"),
        1 => Ok("I cannot say.".to_owned()),
        _ => {
            let noise: Vec<f32> = (0..titles).map(|at| at as f32 / titles as f32).collect();
            Ok(format!("From [1] on: {noise:?}."))
        }
    });
    let ask = |url: &str| {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/ask-llm.py");
        let mut command = Command::new("python3");
        command.current_dir(shop.0.path()).arg(script);
        command.args(["histories.jsonl", "answers.jsonl", "--model", "m"]);
        command.args(["--wait", "0.01", "--url", url]);
        let output = command.output().expect("python3 starts");
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.success(), told)
    };
    let (asked, told) = ask(&server.url);
    assert!(asked, "{told}");
    let score = "reader score --answers answers.jsonl --data noisy --split unseen --out x";
    let figures = shop.json(&format!("{score} --evaluate --json"));
    assert!(figures["auc"].is_number());

    // What is answered is not asked again.
    let (asked, told) = ask("http://127.0.0.1:1/v1");
    let answered = format!(
        "{} histories are answered, 0 to go",
        histories.lines().count()
    );
    assert!(asked && told.contains(&answered), "{told}");

    let answers = fs::read_to_string(shop.path("answers.jsonl")).expect("written");
    let (_, rest) = answers.split_once('\n').expect("a line");
    fs::write(shop.path("answers.jsonl"), rest).expect("written");
    let told = shop.refused(score);
    assert!(told.contains("1 histories have no line"), "{told}");
    let server = Chat::start(|_, _| Err("401 Unauthorized"));
    let (asked, told) = ask(&server.url);
    assert!(!asked && told.contains("refuses: 401"), "{told}");
}

#[test]
fn what_is_exported_or_scored_is_named_in_full_or_refused() {
    let shop = Shop::new();
    let export = "reader export --data data --out x --split";
    for (command, part) in [
        (
            "reader score --data data --split test --out x".to_owned(),
            "READER",
        ),
        (
            "reader score p --answers a --data data --split test --out x".to_owned(),
            "--answers",
        ),
        (format!("{export} train --rate 1.5"), "--rate is 1.5"),
        (format!("{export} unseen --rate 0.1"), "--split train"),
        (format!("{export} train --copies 2"), "--rate"),
    ] {
        let told = shop.refused(&command);
        assert!(told.contains(part), "{command}: {told}");
    }
    assert!(!shop.path("x").exists(), "nothing is written for bad input");
}

fn json(line: &str) -> Value {
    serde_json::from_str(line).expect("JSON")
}

/// A server of chat completions, as far as the script asks for them.
struct Chat {
    url: String,
}

impl Chat {
    /// `answer` is given the number of the request and how many titles it lists, and gives the model's words or an error.
    fn start(answer: fn(usize, usize) -> Result<String, &'static str>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}/v1", listener.local_addr().expect("an address"));
        std::thread::spawn(move || {
            for (nth, stream) in listener.incoming().enumerate() {
                let mut stream = stream.expect("a connection");
                let titles = Self::titles(&stream);
                let (status, body) = match answer(nth, titles) {
                    Err(status) => (status, String::new()),
                    Ok(words) => {
                        let choice = serde_json::json!({ "message": { "content": words } });
                        let body = serde_json::json!({ "choices": [choice] });
                        ("200 OK", body.to_string())
                    }
                };
                let length = body.len();
                let head =
                    format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close");
                write!(stream, "{head}\r\n\r\n{body}").expect("sent");
            }
        });
        Self { url }
    }

    /// Reads a request; gives how many titles it lists.
    fn titles(stream: &TcpStream) -> usize {
        let mut reader = BufReader::new(stream);
        let (mut length, mut line) = (0, String::new());
        while reader.read_line(&mut line).expect("a head") > 2 {
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().expect("a number");
            }
            line.clear();
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).expect("a body");
        let request: Value = serde_json::from_slice(&body).expect("JSON");
        let content = request["messages"][0]["content"].as_str().expect("text");
        let (_, listed) = content.split_once("\n\n").expect("titles");
        listed.lines().count()
    }
}

#[test]
fn codes_are_learnt_from_a_language_model_that_going_on_does_without() {
    let shop = Shop::new();
    ingle_lm::testing::write(&shop.path("lm"), 1);
    let small = "--set backbone.width=16 --set backbone.feed_forward=32 --set training.epochs=2 \
                 --set denoising.epochs=2 --set denoising.reader_histories=0 \
                 --set denoising.language_model";
    let told = shop.refused(&format!("train --data data --out x {small}=none"));
    assert!(told.contains("scripts/fetch-lm"), "{told}");
    assert!(!shop.path("x").exists(), "nothing is written for bad input");

    shop.ok(&format!("train --data data --out whole {small}=lm"));
    let mut command = shop.command(&format!("train --data data --out torn {small}=lm"));
    let mut training = command.spawn().expect("the program starts");
    while !shop.path("torn/stages/titles/titles.safetensors").exists() {
        assert!(
            training.try_wait().expect("a status").is_none(),
            "too fast to be killed"
        );
    }
    training.kill().expect("kills");
    training.wait().expect("a status");
    fs::remove_dir_all(shop.path("lm")).expect("removes");
    shop.ok("train --out torn --resume");
    assert_eq!(shop.losses("whole"), shop.losses("torn"));
}
