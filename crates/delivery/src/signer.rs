//! What makes signatures: a private key in a file, or a command that asks a key management service.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{self, Stdio};

use ed25519_dalek::Signer as _;
use ed25519_dalek::SigningKey;
use ed25519_dalek::ed25519::pkcs8::KeypairBytes;
use ed25519_dalek::pkcs8::{
    DecodePrivateKey as _, EncodePrivateKey as _, spki::der::pem::LineEnding,
};

use crate::DeliveryError;
use crate::envelope::from_hex;

/// Makes signatures with one key.
pub trait Signer {
    /// The signer's name in messages.
    fn name(&self) -> String;
    /// The signature over these bytes.
    fn sign(&self, message: &[u8]) -> Result<[u8; 64], DeliveryError>;
}

/// A private key in memory.
pub struct SecretKey {
    name: String,
    key: SigningKey,
}

impl SecretKey {
    /// A new key.
    pub fn generate(name: &str) -> Result<Self, DeliveryError> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(|error| DeliveryError::Io {
            action: "get random bytes from the system".to_owned(),
            reason: error.to_string(),
        })?;
        Ok(Self::from_seed(name, seed))
    }

    /// The key of these 32 bytes.
    pub fn from_seed(name: &str, seed: [u8; 32]) -> Self {
        Self {
            name: name.to_owned(),
            key: SigningKey::from_bytes(&seed),
        }
    }

    /// Reads a private key: PEM with PKCS #8, as `openssl genpkey -algorithm ed25519` writes it too.
    pub fn read(path: &Path) -> Result<Self, DeliveryError> {
        let name = path.display().to_string();
        let pem = fs::read_to_string(path)
            .map_err(|error| DeliveryError::io(format!("read {name}"), &error))?;
        let key = SigningKey::from_pkcs8_pem(&pem).map_err(|error| DeliveryError::Signer {
            signer: name.clone(),
            reason: format!("no Ed25519 private key in PEM: {error}"),
        })?;
        Ok(Self { name, key })
    }

    /// Writes the private key to a new file that only its owner may read.
    pub fn write(&self, path: &Path) -> Result<(), DeliveryError> {
        // Without the public half, which older readers of the format do not expect.
        let bytes = KeypairBytes {
            secret_key: self.key.to_bytes(),
            public_key: None,
        };
        let pem = bytes
            .to_pkcs8_pem(LineEnding::LF)
            .expect("32 bytes are a key");
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options
            .open(path)
            .and_then(|mut file| {
                file.write_all(pem.as_bytes())?;
                file.sync_all()
            })
            .map_err(|error| DeliveryError::io(format!("write {}", path.display()), &error))
    }

    /// The public half.
    pub fn public(&self) -> [u8; 32] {
        self.key.verifying_key().to_bytes()
    }
}

impl Signer for SecretKey {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn sign(&self, message: &[u8]) -> Result<[u8; 64], DeliveryError> {
        Ok(self.key.sign(message).to_bytes())
    }
}

/// A command that gets the bytes to sign on its standard input and writes the signature to its standard output: 64
/// bytes, or their 128 hex digits.
pub struct Command {
    line: String,
}

impl Command {
    /// A command line for the system's shell.
    pub fn new(line: &str) -> Self {
        Self {
            line: line.to_owned(),
        }
    }

    fn failed(&self, reason: impl Into<String>) -> DeliveryError {
        DeliveryError::Signer {
            signer: self.line.clone(),
            reason: reason.into(),
        }
    }
}

impl Signer for Command {
    fn name(&self) -> String {
        self.line.clone()
    }

    fn sign(&self, message: &[u8]) -> Result<[u8; 64], DeliveryError> {
        let (shell, flag) = if cfg!(windows) {
            ("cmd", "/C")
        } else {
            ("sh", "-c")
        };
        let mut child = process::Command::new(shell)
            .args([flag, &self.line])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| self.failed(error.to_string()))?;
        let mut input = child.stdin.take().expect("it is piped");
        let bytes = message.to_vec();
        // Written beside the reading, so that neither waits for the other; a command may close its input early.
        let writer = std::thread::spawn(move || drop(input.write_all(&bytes)));
        let output = child.wait_with_output();
        let _ = writer.join();
        let output = output.map_err(|error| self.failed(error.to_string()))?;
        if !output.status.success() {
            return Err(self.failed(format!("it ended with {}", output.status)));
        }
        let found = output.stdout;
        if let Ok(signature) = <[u8; 64]>::try_from(&found[..]) {
            return Ok(signature);
        }
        let text = String::from_utf8_lossy(&found).trim().to_ascii_lowercase();
        from_hex(&text).ok_or_else(|| {
            self.failed(format!(
                "it wrote {} bytes, which are neither a signature of 64 bytes nor its 128 hex digits",
                found.len()
            ))
        })
    }
}

/// The private keys in a folder, in the order of their names.
pub fn secrets(dir: &Path) -> Result<Vec<SecretKey>, DeliveryError> {
    let failed = |error| DeliveryError::io(format!("read {}", dir.display()), &error);
    let mut paths: Vec<PathBuf> = Vec::new();
    for entry in fs::read_dir(dir).map_err(failed)? {
        paths.push(entry.map_err(failed)?.path());
    }
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "pem"));
    paths.sort();
    paths.iter().map(|path| SecretKey::read(path)).collect()
}
