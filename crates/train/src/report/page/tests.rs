use super::*;
use crate::data::Summary;
use crate::metrics::beyond::Beyond;
use crate::metrics::detection::{detection, reliability};
use crate::metrics::paired::Difference;
use crate::metrics::ranking::FIGURES;
use crate::report::bootstrap::{Bootstrap, Estimate};
use crate::report::curves::{Curve, Epoch};
use crate::report::figures::{Estimates, Group};
use crate::report::noise::{HISTOGRAM, Noise};
use crate::report::robustness::{RATES, Robustness};
use crate::report::simple::SimpleFigures;
use crate::report::{Bar, Comparison, DatasetFigures, Resampling, RunFigures};
use crate::training::Config;
use crate::training::choice::{Choice, Condition, Trial, candidates};
use crate::training::rounds::account::Account;
use crate::training::rounds::disputes::{Shown, ShownClick};
use ingle_baselines::Method;

const NAME: &str = "<i>run</i> & \"co\"";

fn estimates() -> Estimates {
    Estimates(Bootstrap::of(&[1, 3, 40, 9, 200], 50, 1).estimates())
}

fn noise() -> Noise {
    let (p, noisy) = ([0.1, 0.8, 0.4], [false, true, false]);
    Noise {
        labels_of_dataset: false,
        views: None,
        detection: detection(&p, &noisy).expect("both occur"),
        reliability: reliability(&p, &noisy).to_vec(),
        replaced: [0.1; HISTOGRAM],
        untouched: [0.1; HISTOGRAM],
        gain: estimates().0[4],
    }
}

fn run(name: &str, noise: Option<Noise>) -> RunFigures {
    let epoch = |epoch: usize| Epoch {
        epoch,
        loss: 5.0 / epoch as f64,
        valid: 0.1,
        seconds: 2.0,
        clicks: 1000.0,
    };
    let curve = |phase: &str, figure: &str| Curve {
        phase: phase.to_owned(),
        figure: figure.to_owned(),
        epochs: (1..=3).map(epoch).collect(),
    };
    let group = Group {
        label: "1 to 4".to_owned(),
        users: 5,
        hr10: estimates().0[1],
        ndcg10: estimates().0[4],
    };
    RunFigures {
        name: name.to_owned(),
        method: "dc4sr",
        config: Config::default(),
        seconds: 12.0,
        peak_memory: None,
        curves: vec![curve("backbone", "ndcg@10"), curve("denoiser", "auc")],
        masked: estimates(),
        unmasked: estimates(),
        beyond: Beyond::default(),
        by_history: vec![group.clone()],
        by_popularity: vec![group],
        robustness: match noise {
            None => Vec::new(),
            Some(_) => RATES.map(robust).to_vec(),
        },
        keep: noise.as_ref().map(|_| choice()),
        rounds: match noise {
            None => Vec::new(),
            Some(_) => (1..=3).map(round).collect(),
        },
        noise,
    }
}

fn robust(rate: f64) -> Robustness {
    Robustness {
        rate,
        model: 0.06 - 0.05 * rate,
        all: 0.06 - 0.06 * rate,
        random: 0.06 - 0.058 * rate,
        oracle: 0.06 - 0.04 * rate,
        gain: Difference {
            value: 0.01 * rate,
            error: Some(0.001),
        },
    }
}

fn choice() -> Choice {
    let trial = |(place, rule)| Trial {
        rule,
        histories: 1.0 + place as f64 / 8.0,
        ndcg10: vec![vec![0.06; 3], vec![0.04 + place as f64 / 1000.0; 3]],
    };
    let trials: Vec<Trial> = candidates().into_iter().enumerate().map(trial).collect();
    let noise = vec![Condition::Clean, Condition::Replaced(0.2)];
    Choice::among(noise, &[1, 2, 3], &trials)
}

fn round(round: usize) -> Account {
    let click = ShownClick {
        title: NAME.to_owned(),
        prior: 0.9,
        posterior: 0.1,
        fused: 0.4,
    };
    Account {
        round,
        reader_auc: Some(0.7),
        similarity: None,
        prior_auc: 0.8,
        posterior_auc: 0.85,
        fused_auc: 0.87,
        ece: [0.1, 0.02],
        disagreement: 0.05,
        ndcg10: [0.06, 0.05],
        disputed: vec![Shown {
            divergence: 0.3,
            clicks: vec![click],
        }],
    }
}

/// A simple recommender above which the best run is by `less`, give or take a hundredth.
fn simple(less: f64) -> SimpleFigures {
    let less = Estimate {
        value: less,
        low: less - 0.01,
        high: less + 0.01,
    };
    SimpleFigures {
        settings: Method::Ease.settings(),
        masked: estimates(),
        best_run_less: Estimates([less; FIGURES]),
        beyond: Beyond::default(),
    }
}

fn report(runs: Vec<RunFigures>) -> Report {
    let comparison = |run: &RunFigures| Comparison {
        run: run.name.clone(),
        base: runs[0].name.clone(),
        masked: estimates(),
    };
    Report {
        ingle: "0.0.0".to_owned(),
        split: "test",
        bootstrap: Resampling {
            resamples: 50,
            seed: 7,
            level: 0.95,
        },
        dataset: DatasetFigures {
            name: NAME.to_owned(),
            hash: "0123456789abcdef".to_owned(),
            trained_on: true,
            users_judged: 5,
            summary: Summary::default(),
            corruption: None,
            lengths: vec![Bar { from: 1, count: 5 }],
        },
        comparisons: runs.iter().skip(1).map(comparison).collect(),
        baselines: vec![simple(0.0), simple(0.02)],
        runs,
    }
}

/// Tags that are opened and not closed, or closed out of order.
fn unbalanced(html: &str) -> Vec<String> {
    const EMPTY: [&str; 5] = ["meta", "!doctype", "path", "circle", "rect"];
    let mut open: Vec<String> = Vec::new();
    let body = html.split_once("</style>").map_or(html, |(_, body)| body);
    for tag in body.split('<').skip(1) {
        let tag = tag.split('>').next().unwrap_or_default();
        let name = tag
            .trim_start_matches('/')
            .split([' ', '/'])
            .next()
            .unwrap_or_default();
        if EMPTY.contains(&name) || tag.ends_with('/') {
            continue;
        }
        match tag.strip_prefix('/') {
            None => open.push(name.to_owned()),
            Some(_) if open.last().is_some_and(|last| last == name) => {
                open.pop();
            }
            Some(_) => return vec![format!("{name} closed in {open:?}")],
        }
    }
    // What was open before the body: the head and the document around it.
    open
}

#[test]
fn a_disputed_history_and_the_share_won_back_can_be_read() {
    let html = html(&report(vec![run("a", Some(noise()))]));
    assert!(html.contains("History 1: 1 clicks, divergence 0.300"));
    for shown in ["90 %", "10 %", "40 %", "17 %", "33 %", "language model"] {
        assert!(html.contains(shown), "{shown}");
    }
    let plain = self::html(&report(vec![run("a", None)]));
    assert!(!plain.contains("most disputed") && !plain.contains("won back"));
}

#[test]
fn a_page_loads_nothing_and_closes_every_element() {
    let html = html(&report(vec![run(NAME, Some(noise())), run("other", None)]));
    for loads in ["://", " src=", "<script", "<link", "@import", "url("] {
        assert!(!html.contains(loads), "{loads}");
    }
    let unbalanced = unbalanced(&html);
    assert!(
        unbalanced.iter().all(|problem| problem.ends_with("in []")),
        "{unbalanced:?}"
    );
}

#[test]
fn names_from_data_are_shown_as_text() {
    let html = html(&report(vec![run(NAME, Some(noise())), run("other", None)]));
    assert!(!html.contains("<i>run"), "a name became markup");
    assert!(html.contains("&lt;i&gt;run&lt;/i&gt; &amp; &quot;co&quot;"));
}

#[test]
fn every_link_leads_to_a_section() {
    for runs in [
        vec![run("a", None)],
        vec![run("a", Some(noise())), run("b", Some(noise()))],
    ] {
        let html = html(&report(runs));
        let targets: Vec<&str> = (html.split("href=\"#").skip(1))
            .filter_map(|rest| rest.split('"').next())
            .collect();
        assert!(targets.len() >= 7, "{targets:?}");
        for target in targets {
            assert!(
                html.contains(&format!("<section id=\"{target}\">")),
                "{target}"
            );
        }
    }
}

#[test]
fn it_says_in_words_whether_a_simple_recommender_is_as_good() {
    for (less, words) in [
        (0.02, "ranks better than every simple recommender"),
        (0.005, "A simple recommender is as good here"),
        (-0.02, "A simple recommender is better here"),
    ] {
        let mut report = report(vec![run(NAME, None)]);
        report.baselines = vec![simple(less)];
        let html = html(&report);
        assert!(html.contains(words), "{less}");
        assert!(html.contains("<b>ease</b>"), "{less}");
    }
    let mut without = report(vec![run("a", None)]);
    without.baselines.clear();
    assert!(!html(&without).contains("id=\"simple\""));
}

#[test]
fn sections_without_anything_to_say_are_left_out() {
    let alone = html(&report(vec![run("a", None)]));
    assert!(!alone.contains("id=\"comparison\"") && !alone.contains("id=\"noise\""));
    let both = html(&report(vec![run("a", Some(noise())), run("b", None)]));
    assert!(both.contains("id=\"comparison\"") && both.contains("id=\"noise\""));
}
