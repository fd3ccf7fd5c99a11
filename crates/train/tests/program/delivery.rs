//! Signed releases by the commands: keys, signing, publishing, rolling back, what is refused.

use crate::shop::Shop;
use std::fs;
use std::path::Path;

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/data/golden");

/// A folder with a bundle and keys.
fn shop() -> Shop {
    let shop = Shop::empty();
    copy(Path::new(GOLDEN), &shop.path("bundle"));
    shop.ok("keys new keys --shop shoes");
    shop
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("lists") {
        let path = entry.expect("an entry").path();
        if path.is_file() {
            fs::copy(&path, to.join(path.file_name().expect("a name"))).expect("copies");
        }
    }
}

fn channel(shop: &Shop) -> String {
    fs::read_to_string(shop.path("www/channel.json")).expect("a channel")
}

#[test]
fn a_bundle_is_signed_published_rolled_out_and_rolled_back() {
    let shop = shop();
    let unsigned = shop.refused("publish www --bundle bundle --keys keys");
    assert!(unsigned.contains("is not signed"), "{unsigned}");
    assert!(
        !shop.path("www").exists(),
        "nothing is made by what is refused"
    );
    let signed = shop.ok("sign bundle --keys keys");
    assert!(signed.contains("10 items follow 3 clicks"), "{signed}");
    let first = shop.ok("publish www --bundle bundle --keys keys");
    assert!(
        first.contains("release 1 of shoes (epoch 1) is out for 100 %"),
        "{first}"
    );
    let verified = shop.ok("verify www --keys keys");
    assert!(verified.contains("the self-test is right"), "{verified}");
    assert!(
        shop.ok("diff bundle www")
            .contains("0 of 784868 bytes are fetched")
    );

    // Another bundle of the same model: its name alone differs.
    copy(&shop.path("bundle"), &shop.path("next"));
    let manifest = fs::read_to_string(shop.path("next/manifest.json")).expect("reads");
    let renamed = manifest.replacen("\"golden\"", "\"golden next\"", 1);
    assert_ne!(manifest, renamed);
    fs::write(shop.path("next/manifest.json"), renamed).expect("writes");
    let stale = shop.refused("publish www --bundle next --keys keys --rollout 5%");
    assert!(stale.contains("or has changed since"), "{stale}");
    shop.ok("sign next --keys keys");
    let second = shop.ok("publish www --bundle next --keys keys --rollout 5%");
    assert!(
        second.contains("release 2 of shoes (epoch 1) is out for 5 %"),
        "{second}"
    );
    let both = shop.ok("verify www --keys keys");
    assert!(
        both.contains("golden next: 5 files") && both.contains("golden: 5 files"),
        "{both}"
    );
    shop.ok("publish www --keys keys --rollout 50%");
    shop.ok("publish www --keys keys --halt");
    assert!(!shop.ok("verify www --keys keys").contains("golden next"));
    let none = shop.refused("publish www --keys keys --halt");
    assert!(none.contains("no rollout"), "{none}");
    shop.ok("publish www --bundle next --keys keys");
    let back = shop.ok("publish www --keys keys --to 1");
    assert!(back.contains("release 6 of shoes"), "{back}");
    let low = shop.refused("verify www --keys keys --at-least 7");
    assert!(low.contains("delivery/rollback"), "{low}");
    assert!(shop.ok("gc www --keep 1").contains("0 files would go"));
    let gone = shop.ok("gc www --keep 1 --older-than 0 --delete");
    assert!(gone.contains("channel-1-5.json"), "{gone}");
    shop.ok("verify www --keys keys");
    shop.ok("inspect www");
}

#[test]
fn keys_are_rotated_and_revoked_and_thresholds_are_met_in_turn() {
    let shop = Shop::empty();
    copy(Path::new(GOLDEN), &shop.path("bundle"));
    let made = shop.ok("keys new keys --shop shoes --offline-keys 3 --threshold 2");
    assert!(made.contains("threshold: 2"), "{made}");
    // One key signs here, and the next one elsewhere.
    let one = shop.ok("sign bundle --keys keys --key keys/private/offline-1.pem");
    assert!(one.contains("not finished"), "{one}");
    let refused = shop.refused("publish www --bundle bundle --keys keys");
    assert!(
        refused.contains("1 valid signatures") && refused.contains("delivery/signature"),
        "{refused}"
    );
    let other = shop.ok("sign bundle --keys keys --key keys/private/offline-3.pem");
    assert!(other.contains("next: ingle publish"), "{other}");
    shop.ok("publish www --bundle bundle --keys keys");
    // The channel's key is replaced: the old one has no say in the next epoch.
    fs::copy(shop.path("keys/private/channel.pem"), shop.path("old.pem")).expect("copies");
    shop.ok("keys rotate keys --key channel");
    let old = shop.refused("publish www --keys keys --key old.pem");
    assert!(old.contains("none of the keys that may sign"), "{old}");
    shop.ok("publish www --keys keys");
    assert!(shop.ok("verify www --keys keys").contains("epoch 2"));
    // A key less, as long as enough are left.
    shop.ok("keys revoke keys --key offline-2");
    let few = shop.refused("keys revoke keys --key offline-1");
    assert!(few.contains("too few keys for root"), "{few}");
    let revoked = shop.refused("sign bundle --keys keys --key keys/private/offline-2.pem");
    assert!(
        revoked.contains("none of the keys that may sign"),
        "{revoked}"
    );
    shop.ok("publish www --keys keys");
    assert!(shop.ok("verify www --keys keys").contains("epoch 3"));
    let again = shop.refused("keys new keys --shop shoes");
    assert!(again.contains("has keys already"), "{again}");
}

#[cfg(unix)]
#[test]
fn a_command_signs_for_a_key_that_is_kept_elsewhere() {
    use std::os::unix::fs::PermissionsExt as _;
    let shop = shop();
    shop.ok("sign bundle --keys keys");
    // What a key management service does: it has a key, reads bytes and writes a signature.
    let other = Shop::empty();
    let public = other.ok("keys new keys --shop other");
    let public = public.split('"').nth(5).expect("a key").to_owned();
    assert_eq!(public.len(), 64, "{public}");
    shop.ok(&format!("keys rotate keys --key channel --public {public}"));
    let none = shop.refused("publish www --bundle bundle --keys keys");
    assert!(none.contains("--signer-command"), "{none}");
    let script = shop.path("sign.sh");
    let pem = other.path("keys/private/offline.pem");
    let text = format!(
        "#!/bin/sh\ncat > message.bin && openssl pkeyutl -sign -rawin -inkey {} -in message.bin\n",
        pem.display()
    );
    fs::write(&script, text).expect("writes");
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).expect("may run");
    let has_openssl = std::process::Command::new("openssl")
        .arg("version")
        .output();
    if has_openssl.is_ok_and(|output| output.status.success()) {
        shop.ok("publish www --bundle bundle --keys keys --signer-command ./sign.sh");
        shop.ok("verify www --keys keys");
    }
    let broken = shop.refused("publish www --bundle bundle --keys keys --signer-command false");
    assert!(broken.contains("delivery/signer"), "{broken}");
}

#[test]
fn what_was_tampered_with_is_refused_and_changes_nothing() {
    let shop = shop();
    shop.ok("sign bundle --keys keys");
    shop.ok("publish www --bundle bundle --keys keys");
    let whole = channel(&shop);
    fs::write(
        shop.path("www/channel.json"),
        whole.replace("\\\"release\\\":1", "\\\"release\\\":9"),
    )
    .expect("writes");
    assert_ne!(channel(&shop), whole);
    for command in ["verify www --keys keys", "publish www --keys keys"] {
        let refused = shop.refused(command);
        assert!(refused.contains("delivery/signature"), "{refused}");
    }
    fs::write(shop.path("www/channel.json"), &whole).expect("writes");
    let model = fs::read_dir(shop.path("www")).expect("lists");
    let model = model.map(|entry| entry.expect("an entry").path());
    let model = model
        .into_iter()
        .find(|path| path.to_string_lossy().contains("model-"))
        .expect("a model");
    let mut bytes = fs::read(&model).expect("reads");
    *bytes.last_mut().expect("a byte") ^= 1;
    fs::write(&model, bytes).expect("writes");
    assert!(
        shop.refused("verify www --keys keys")
            .contains("has changed")
    );
    // Publishing it again mends it.
    shop.ok("publish www --bundle bundle --keys keys");
    shop.ok("verify www --keys keys");
    for (command, reason) in [
        ("publish www --keys keys --rollout 0%", "no share"),
        ("publish www --keys nowhere", "keys-1.json"),
        (
            "verify nowhere --keys keys",
            "neither a folder nor an address",
        ),
        ("verify ftp://host/ --keys keys", "does not begin with http"),
        (
            "publish https://host/ --keys keys",
            "begins with s3://, gs:// or az://",
        ),
        ("keys new more --shop shoes --threshold 2", "2 of 1 keys"),
        ("keys rotate keys --key nobody", "there is no key nobody"),
        (
            "keys rotate keys --key channel --public 12",
            "64 hex digits",
        ),
    ] {
        let refused = shop.refused(command);
        assert!(refused.contains(reason), "{command}: {refused}");
    }
}

#[cfg(not(feature = "object-stores"))]
#[test]
fn a_program_without_object_stores_says_how_to_get_them() {
    let shop = shop();
    for command in [
        "publish s3://shop/v1 --keys keys",
        "verify gs://shop/v1 --keys keys",
        "gc az://shop/v1",
        "diff s3://shop/v1 bundle",
    ] {
        let refused = shop.refused(command);
        assert!(refused.contains("--features object-stores"), "{refused}");
    }
}
