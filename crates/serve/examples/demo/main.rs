//! The demo shop as its owner runs it: makes keys, publishes a signed release, serves it with the shop's pages, and
//! publishes a second one while a page is open: `demo SITE BUNDLE NEXT`.
//!
//! BUNDLE is a bundle's folder, NEXT has the manifest of the second bundle and the delta that makes it from the first.
//! Both manifests have a self-test, as `ingle publish` writes them. The keys live as long as the program.

mod releases;
mod site;

use std::error::Error;
use std::io::BufRead as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Once};
use std::thread;
use std::time::Duration;

use clap::Parser;
use ingle_delivery::CHANNEL;
use ingle_serve::axum::extract::Request;
use ingle_serve::axum::middleware::{Next, from_fn};
use ingle_serve::{App, SITE_POLICY, router, run, with_site};
use releases::Releases;

/// Serves the demo shop, and publishes a signed release while it is open.
#[derive(Parser)]
struct Program {
    /// The shop's pages
    site: PathBuf,
    /// The first bundle
    bundle: PathBuf,
    /// The second: its manifest and a delta
    next: PathBuf,
    /// Address to listen on; port 0 takes a free one
    #[arg(long, default_value = "127.0.0.1:8080")]
    addr: SocketAddr,
    /// Seconds from the first visit until the second release comes by itself; 0: never
    #[arg(long, default_value_t = 60)]
    after: u64,
}

fn main() -> Result<(), Box<dyn Error>> {
    ingle_serve::log_to_stderr();
    let program = Program::parse();
    let folder = tempfile::tempdir()?;
    let releases = Releases::begin(folder.path(), &program.bundle, &program.next)?;
    let site = folder.path().join("site");
    site::copy(&program.site, &site, &releases.trust())?;
    let (publish, due) = channel();
    let visits = Visits {
        first: Arc::new(Once::new()),
        after: program.after,
        publish: publish.clone(),
    };
    let shop = router(releases.folder())?.layer(from_fn(move |request: Request, next: Next| {
        visits.note(request.uri().path());
        next.run(request)
    }));
    let app = App::from(with_site(shop, &site, SITE_POLICY)?);
    run(app, program.addr, None, |at| {
        println!("http://{at}/");
        println!("Release 1 is out, signed with keys that were just made.");
        let by_itself = match program.after {
            0 => String::new(),
            after => format!(", or by itself {after} s after the first visit"),
        };
        println!(
            "Enter publishes release 2, of a model that was trained on with 400 more shoppers{by_itself}."
        );
        thread::spawn(move || {
            for line in std::io::stdin().lock().lines() {
                if line.is_err() || publish.send(By::Hand).is_err() {
                    return;
                }
            }
        });
        thread::spawn(move || {
            let mut releases = releases;
            for by in due {
                // What comes by itself comes once, and only if nobody was quicker.
                if by == By::Itself && releases.number() > 1 {
                    continue;
                }
                match releases.publish() {
                    Ok(words) => println!("{words}"),
                    Err(error) => eprintln!("error: {error}"),
                }
            }
        });
    })?;
    Ok(())
}

/// Who wants another release.
#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    Hand,
    Itself,
}

/// Begins to count when a page first asks which release is out.
#[derive(Clone)]
struct Visits {
    first: Arc<Once>,
    after: u64,
    publish: Sender<By>,
}

impl Visits {
    fn note(&self, path: &str) {
        if self.after == 0 || !path.ends_with(CHANNEL) {
            return;
        }
        self.first.call_once(|| {
            let (after, publish) = (self.after, self.publish.clone());
            thread::spawn(move || {
                thread::sleep(Duration::from_secs(after));
                publish.send(By::Itself)
            });
        });
    }
}
