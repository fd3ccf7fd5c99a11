//! What signs: private keys in files, and commands that ask a key management service.

use super::place::told;
use crate::data::InputError;
use anyhow::{Result, bail};
use ingle_delivery::{Command, KeySet, Role, SecretKey, Signer, key_id, secrets};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// Seconds of a day.
pub(super) const DAY: u64 = 86_400;

/// What signs.
#[derive(Debug, Default, clap::Args)]
pub(super) struct SigningArgs {
    /// Private key in PEM; may be given several times [default: those of KEYS/private that may sign this]
    #[arg(long, value_name = "FILE")]
    key: Vec<PathBuf>,
    /// Command that gets the bytes to sign on its standard input and writes the signature (64 bytes, or hex); may be
    /// given several times
    #[arg(long, value_name = "COMMAND")]
    signer_command: Vec<String>,
}

impl SigningArgs {
    /// These files and commands.
    pub(super) fn of(key: &[PathBuf], signer_command: &[String]) -> Self {
        Self {
            key: key.to_vec(),
            signer_command: signer_command.to_vec(),
        }
    }

    /// The signers. Without any, the private keys of the key folder that are among these keys of these roles.
    pub(super) fn signers(
        &self,
        dir: &Path,
        may: &[(&KeySet, &Role)],
    ) -> Result<Vec<Box<dyn Signer>>> {
        let mut signers: Vec<Box<dyn Signer>> = Vec::new();
        for path in &self.key {
            signers.push(Box::new(SecretKey::read(path).map_err(told)?));
        }
        for line in &self.signer_command {
            signers.push(Box::new(Command::new(line)));
        }
        let private = private(dir);
        if signers.is_empty() && private.is_dir() {
            for secret in secrets(&private).map_err(told)? {
                let id = key_id(&secret.public());
                if may.iter().any(|(_, role)| role.keys.contains(&id)) {
                    signers.push(Box::new(secret));
                }
            }
        }
        if signers.is_empty() {
            let names = may.iter().flat_map(|(keys, role)| keys.of(role));
            let mut names: Vec<&str> = names.map(|key| &*key.name).collect();
            names.dedup();
            bail!(InputError::other(format!(
                "{} has no private key that may sign this ({}): give it by --key, or a command by --signer-command",
                private.display(),
                names.join(", ")
            )));
        }
        Ok(signers)
    }
}

/// Where a key folder has its private keys.
pub(super) fn private(dir: &Path) -> PathBuf {
    dir.join("private")
}

/// The time in seconds since 1970.
pub(super) fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap_or_default().as_secs()
}
