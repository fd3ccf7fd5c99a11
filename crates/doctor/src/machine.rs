//! Checks which of the programs that Ingle uses are installed.

use crate::Check;
use std::path::Path;
use std::process::Command;

/// A program and its purpose.
struct Tool {
    /// Its name, and the commands to try.
    what: &'static str,
    names: &'static [&'static str],
    least: &'static str,
    needed_for: &'static str,
    how: &'static str,
}

const TOOLS: [Tool; 7] = [
    Tool {
        what: "Node",
        names: &["node"],
        least: "20.19",
        needed_for: "to build a page with the package",
        how: "install it from nodejs.org or by your system's packages",
    },
    Tool {
        what: "npm",
        names: &["npm", "npm.cmd"],
        least: "10",
        needed_for: "to install the package",
        how: "it comes with Node",
    },
    Tool {
        what: "Rust",
        names: &["rustc"],
        least: env!("CARGO_PKG_RUST_VERSION"),
        needed_for: "to build Ingle from its sources",
        how: "install rustup (https://rustup.rs), then `rustup update stable`",
    },
    Tool {
        what: "C compiler",
        names: &["cc", "clang", "gcc"],
        least: "",
        needed_for: "to build Ingle from its sources",
        how: "install gcc or clang",
    },
    Tool {
        what: "Chromium",
        names: &[
            "chromium",
            "chromium-browser",
            "google-chrome",
            "google-chrome-stable",
            "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
        ],
        least: "",
        needed_for: "by Ingle's own tests and benchmarks",
        how: "install it, or set CHROME to its path",
    },
    Tool {
        what: "Firefox",
        names: &[
            "firefox-esr",
            "firefox",
            "/Applications/Firefox.app/Contents/MacOS/firefox",
        ],
        least: "",
        needed_for: "by Ingle's own tests",
        how: "install it, or set FIREFOX to its path",
    },
    Tool {
        what: "Python",
        names: &["python3", "python"],
        least: "3",
        needed_for: "to fetch a language model (scripts/fetch-lm), for the optional prior",
        how: "install Python 3 with pip",
    },
];

/// Checks this machine. Node and npm are required for a page; all else is optional. `language_model` is the folder in
/// which `ingle reader` looks for one.
pub fn machine(language_model: &Path) -> Vec<Check> {
    let mut checks = vec![Check::good(
        "ingle",
        concat!("version ", env!("CARGO_PKG_VERSION")),
    )];
    checks.extend(TOOLS.iter().map(tool));
    let at = language_model.display();
    let model = if language_model.join("model.safetensors").is_file() {
        Check::good("language model", format!("{at}"))
    } else {
        Check::note(
            "language model",
            format!("none in {at}: only needed for `ingle reader`"),
            "scripts/fetch-lm downloads a small one",
        )
    };
    checks.push(model);
    checks
}

fn tool(tool: &Tool) -> Check {
    let Tool {
        what,
        names,
        least,
        needed_for,
        how,
    } = tool;
    let found = names.iter().find_map(|name| version(name));
    let required = matches!(*what, "Node" | "npm");
    let problem = |found: String| {
        if required {
            Check::bad(*what, found, *how)
        } else {
            Check::note(*what, found, *how)
        }
    };
    match found {
        None => problem(format!("not found; needed {needed_for}")),
        Some(found) if !at_least(&found, least) => {
            problem(format!("{found}, and {least} is needed {needed_for}"))
        }
        Some(found) => Check::good(*what, found),
    }
}

/// The version that a program prints; `None` if it cannot be run.
fn version(name: &str) -> Option<String> {
    let output = Command::new(name).arg("--version").output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let word = text
        .split_whitespace()
        .map(|word| word.trim_start_matches('v').trim_end_matches([')', ',']))
        .find(|word| word.starts_with(|c: char| c.is_ascii_digit()))?;
    Some(word.to_owned())
}

/// Whether dotted version `have` is `want` or later.
fn at_least(have: &str, want: &str) -> bool {
    let numbers = |version: &str| -> Vec<u32> {
        let parts = version.split(|c: char| !c.is_ascii_digit());
        parts.map_while(|part| part.parse().ok()).collect()
    };
    let (have, want) = (numbers(have), numbers(want));
    for (n, want) in want.iter().enumerate() {
        let have = have.get(n).copied().unwrap_or(0);
        if have != *want {
            return have > *want;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_their_numbers() {
        for (have, want, enough) in [
            ("20.20.2", "20.19", true),
            ("20.9.0", "20.19", false),
            ("22.0.0-nightly", "20.19", true),
            ("1.95.0", "1.95", true),
            ("3", "", true),
            ("0.9", "1", false),
        ] {
            assert_eq!(at_least(have, want), enough, "{have} {want}");
        }
    }

    #[test]
    fn what_is_not_there_is_told_with_what_it_is_for() {
        let missing = Tool {
            what: "Node",
            names: &["ingle-has-no-such-program"],
            least: "20",
            needed_for: "to build",
            how: "install it",
        };
        let check = tool(&missing);
        assert_eq!(check.found, "not found; needed to build");
        assert_eq!(check.advice.as_deref(), Some("install it"));
        assert_eq!(check.state, crate::State::Bad);
    }
}
