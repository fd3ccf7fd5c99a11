//! `ingle keys`: makes, replaces and revokes the keys that sign a shop's releases.

use super::place::told;
use super::signing::{DAY, SigningArgs, now, private};
use crate::data::InputError;
use crate::say::say;
use anyhow::{Context as _, Result, bail};
use ingle_delivery::{
    Envelope, Folder, Key, KeySet, Keyring, Kind, Role, Roles, SecretKey, Store as _, key_id,
    keys_name,
};
use std::path::{Path, PathBuf};

/// Make, replace or revoke the keys that sign releases
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ingle keys new keys --shop shoes
  ingle keys new keys --shop shoes --offline-keys 3 --threshold 2
  ingle keys show keys                        who signs what, and what the page needs to know
  ingle keys rotate keys --key channel        a new key for the channel
  ingle keys revoke keys --key offline-2      one key less

A folder of keys has keys-1.json, keys-2.json, ... (public, one for each change) and private/*.pem. Keep the offline
keys off every server; CI needs the channel's alone. Each file is signed by the keys before it and by its own, so that
pages which know an earlier one follow; the page's own pins can be updated later.")]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    New(New),
    Show(Show),
    Rotate(Rotate),
    Revoke(Revoke),
}

/// Make a shop's first keys
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ingle keys new keys --shop shoes
  ingle keys new keys --shop shoes --offline-keys 3 --threshold 2
  ingle keys new keys --shop shoes --channel-public 3d40...0c     the channel's key is in a key management service
  ingle keys new keys-again --shop shoes --epoch 4                after a leak: pages need the new pins")]
struct New {
    /// Folder to make
    keys: PathBuf,
    /// The shop's name, which every signed file has
    #[arg(long)]
    shop: String,
    /// Number of offline keys, which sign manifests and key files
    #[arg(long, default_value_t = 1)]
    offline_keys: usize,
    /// How many of them must sign
    #[arg(long, default_value_t = 1)]
    threshold: usize,
    /// Public half of a key for the channel that is kept elsewhere, as 64 hex digits
    #[arg(long, value_name = "HEX")]
    channel_public: Option<String>,
    /// Number of the first key file; above every one before when the shop begins anew
    #[arg(long, default_value_t = 1)]
    epoch: u64,
    /// Days until the key file expires
    #[arg(long, default_value_t = 365, value_name = "DAYS")]
    expires: u64,
}

/// Show who signs what, and what the page needs to know
#[derive(Debug, clap::Args)]
struct Show {
    /// Folder of keys
    keys: PathBuf,
}

/// Replace a key by a new one
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ingle keys rotate keys --key channel
  ingle keys rotate keys --key channel --public 3d40...0c")]
struct Rotate {
    /// Folder of keys
    keys: PathBuf,
    /// The name or id of the key to replace
    #[arg(long, value_name = "NAME")]
    key: String,
    /// Public half of the new key, if that is kept elsewhere, as 64 hex digits
    #[arg(long, value_name = "HEX")]
    public: Option<String>,
    #[command(flatten)]
    changing: Changing,
}

/// Take a key away
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ingle keys revoke keys --key offline-2")]
struct Revoke {
    /// Folder of keys
    keys: PathBuf,
    /// The name or id of the key to take away
    #[arg(long, value_name = "NAME")]
    key: String,
    #[command(flatten)]
    changing: Changing,
}

#[derive(Debug, clap::Args)]
struct Changing {
    /// Days until the new key file expires
    #[arg(long, default_value_t = 365, value_name = "DAYS")]
    expires: u64,
    /// Private root key in PEM; may be given several times [default: those of KEYS/private]
    #[arg(long, value_name = "FILE")]
    root_key: Vec<PathBuf>,
    /// Command that signs as a root key; may be given several times
    #[arg(long, value_name = "COMMAND")]
    signer_command: Vec<String>,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<()> {
    match &args.what {
        What::New(args) => new(args),
        What::Show(args) => {
            let ring = Keyring::open(&args.keys).map_err(told)?;
            print(&ring.keys);
            Ok(())
        }
        What::Rotate(args) => rotate(args),
        What::Revoke(args) => revoke(args),
    }
}

fn new(args: &New) -> Result<()> {
    let folder = Folder::new(&args.keys);
    let there = folder.list().map_err(told)?;
    if there.iter().any(|(name, _)| name.starts_with("keys-")) {
        bail!(InputError::other(format!(
            "{} has keys already: `ingle keys rotate` replaces one; a shop that begins anew takes another folder",
            args.keys.display()
        )));
    }
    let mut keys = Vec::new();
    for n in 1..=args.offline_keys {
        let name = if args.offline_keys == 1 {
            "offline".to_owned()
        } else {
            format!("offline-{n}")
        };
        keys.push(make(&args.keys, &name)?);
    }
    let offline = Role {
        threshold: args.threshold,
        keys: keys.iter().map(|key| key.id.clone()).collect(),
    };
    let channel = match &args.channel_public {
        Some(public) => given("channel", public)?,
        None => make(&args.keys, "channel")?,
    };
    let set = KeySet {
        shop: args.shop.clone(),
        epoch: args.epoch,
        expires: now() + args.expires * DAY,
        roles: Roles {
            root: offline.clone(),
            manifest: offline,
            channel: Role {
                threshold: 1,
                keys: vec![channel.id.clone()],
            },
        },
        keys: keys.into_iter().chain([channel]).collect(),
    };
    let signing = SigningArgs::default();
    write(&args.keys, &set, None, &signing)?;
    say!(
        "wrote {}: keep {} offline\n",
        args.keys.display(),
        private(&args.keys).display()
    );
    print(&set);
    Ok(())
}

fn rotate(args: &Rotate) -> Result<()> {
    let ring = Keyring::open(&args.keys).map_err(told)?;
    let mut set = next(&ring, &args.changing);
    let old = find(&set, &args.key)?;
    let stem = old
        .name
        .trim_end_matches(|sign: char| sign.is_ascii_digit());
    let stem = stem.strip_suffix("-epoch-").unwrap_or(&old.name);
    let name = format!("{stem}-epoch-{}", set.epoch);
    let new = match &args.public {
        Some(public) => given(&name, public)?,
        None => make(&args.keys, &name)?,
    };
    for (_, role) in set.roles.each_mut() {
        for id in &mut role.keys {
            if *id == old.id {
                id.clone_from(&new.id);
            }
        }
    }
    set.keys.retain(|key| key.id != old.id);
    set.keys.push(new);
    change(&args.keys, &ring, &set, &args.changing)
}

fn revoke(args: &Revoke) -> Result<()> {
    let ring = Keyring::open(&args.keys).map_err(told)?;
    let mut set = next(&ring, &args.changing);
    let old = find(&set, &args.key)?;
    for (name, role) in set.roles.each_mut() {
        role.keys.retain(|id| *id != old.id);
        if role.keys.len() < role.threshold {
            bail!(InputError::other(format!(
                "without {} too few keys for {name} are left: `ingle keys rotate` replaces it",
                old.name
            )));
        }
    }
    set.keys.retain(|key| key.id != old.id);
    change(&args.keys, &ring, &set, &args.changing)
}

/// The keys of the next epoch, as they are now.
fn next(ring: &Keyring, changing: &Changing) -> KeySet {
    KeySet {
        epoch: ring.keys.epoch + 1,
        expires: now() + changing.expires * DAY,
        ..ring.keys.clone()
    }
}

fn find(set: &KeySet, which: &str) -> Result<Key> {
    let found = set.find(which).cloned();
    let names = || {
        let names: Vec<&str> = set.keys.iter().map(|key| &*key.name).collect();
        names.join(", ")
    };
    Ok(found.ok_or_else(|| {
        InputError::other(format!("there is no key {which}; there are {}", names()))
    })?)
}

fn change(dir: &Path, ring: &Keyring, set: &KeySet, changing: &Changing) -> Result<()> {
    let signing = SigningArgs::of(&changing.root_key, &changing.signer_command);
    write(dir, set, Some(&ring.keys), &signing)?;
    print(set);
    if set.roles.manifest != ring.keys.roles.manifest {
        say!(
            "next: sign the bundle again (`ingle sign`), since the keys for manifests are others now"
        );
    }
    say!(
        "next: `ingle publish`; pages follow by themselves, and their `trust` can be updated when it suits"
    );
    Ok(())
}

/// Signs and writes a key file, and says if more keys have to sign it.
fn write(dir: &Path, set: &KeySet, before: Option<&KeySet>, signing: &SigningArgs) -> Result<()> {
    let mut envelope = set.envelope().map_err(told)?;
    let mut may = vec![(set, &set.roles.root)];
    may.extend(before.map(|before| (before, &before.roles.root)));
    sign(&mut envelope, dir, &may, signing)?;
    let name = keys_name(set.epoch);
    let bytes = envelope.to_bytes(&name, Kind::Keys).map_err(told)?;
    let folder = Folder::new(dir);
    folder.create(&name, &bytes).map_err(told)?;
    missing(dir, &name);
    Ok(())
}

/// Adds the signatures of the signers.
pub(super) fn sign(
    envelope: &mut Envelope,
    dir: &Path,
    may: &[(&KeySet, &Role)],
    signing: &SigningArgs,
) -> Result<()> {
    let all: Vec<Key> = may
        .iter()
        .flat_map(|(keys, role)| keys.of(role))
        .cloned()
        .collect();
    for signer in signing.signers(dir, may)? {
        envelope.sign(Kind::Keys, &*signer, &all).map_err(told)?;
    }
    Ok(())
}

/// Says what a key file lacks before it is of use.
pub(super) fn missing(dir: &Path, name: &str) {
    if let Err(error) = Keyring::open(dir) {
        say!("not finished: {error}");
        say!(
            "  ingle sign {} --key FILE   where the other keys are",
            dir.join(name).display()
        );
    }
}

/// A new private key in the folder.
fn make(dir: &Path, name: &str) -> Result<Key> {
    let private = private(dir);
    std::fs::create_dir_all(&private)
        .with_context(|| format!("cannot make {}", private.display()))?;
    let secret = SecretKey::generate(name).map_err(told)?;
    let path = private.join(format!("{name}.pem"));
    secret.write(&path).map_err(told)?;
    Key::new(name, name, &secret.public()).map_err(told)
}

/// A key of which only the public half is here.
fn given(name: &str, public: &str) -> Result<Key> {
    let bytes = (0..public.len() / 2)
        .map(|n| {
            public
                .get(2 * n..2 * n + 2)
                .and_then(|pair| u8::from_str_radix(pair, 16).ok())
        })
        .collect::<Option<Vec<u8>>>()
        .and_then(|bytes| <[u8; 32]>::try_from(bytes).ok())
        .filter(|_| public.len() == 64);
    let Some(bytes) = bytes else {
        bail!(InputError::other(format!(
            "{public:?} is not a public key of 64 hex digits"
        )));
    };
    Key::new(&key_id(&bytes), name, &bytes).map_err(told)
}

/// Prints who signs what, and the option of the page.
fn print(set: &KeySet) {
    let days = set.expires.saturating_sub(now()) / DAY;
    say!(
        "shop {}, epoch {}, expires in {days} days",
        set.shop,
        set.epoch
    );
    for (name, role) in set.roles.each() {
        let keys: Vec<String> = set
            .of(role)
            .map(|key| format!("{} ({})", key.name, key.id))
            .collect();
        say!("  {name:9} {} of {}", role.threshold, keys.join(", "));
    }
    let pins = set.pins(1);
    let keys: Vec<String> = pins.keys.iter().map(|key| format!("{key:?}")).collect();
    let threshold = match pins.threshold {
        1 => String::new(),
        some => format!(" threshold: {some},"),
    };
    say!("\nin the page:\n  createRecommender(\"/bundle/\", {{");
    say!(
        "    trust: {{ shop: {:?}, epoch: {},{threshold} keys: [{}], atLeast: 1 }},\n  }});\n",
        pins.shop,
        pins.epoch,
        keys.join(", ")
    );
}
