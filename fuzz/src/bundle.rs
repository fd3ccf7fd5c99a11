//! Bundles whose manifest agrees with their files, whatever is in these: a fuzzer guesses no SHA-256.

use ingle_bundle::{
    Bundle, BundleError, Calibration, FileEntry, ItemsSpec, Manifest, MethodSpec, Role,
};
use serde_json::Value;

/// A method that judges clicks, and its calibration.
pub fn judging() -> (MethodSpec, Calibration) {
    let method = MethodSpec {
        name: "dc4sr".to_owned(),
        config: Value::Null,
    };
    let calibration = Calibration {
        temperature: 1.0,
        shift: 0.0,
        tau_low: 0.5,
        tau_high: 0.5,
        keep: None,
        views: None,
    };
    (method, calibration)
}

/// The files of a bundle with a manifest that agrees.
pub struct Sealed {
    files: Vec<(FileEntry, Vec<u8>)>,
    items: ItemsSpec,
}

impl Sealed {
    /// A bundle of these files, the blocks of its item table with their rows.
    pub fn new(
        items: ItemsSpec,
        model: Vec<u8>,
        blocks: Vec<(usize, Vec<u8>)>,
        ids: Vec<u8>,
    ) -> Self {
        let mut files = vec![(FileEntry::for_bytes(Role::Model, &model), model)];
        let mut next = 0;
        for (rows, bytes) in blocks {
            let mut entry = FileEntry::for_bytes(Role::Items, &bytes);
            (entry.first_row, entry.rows) = (Some(next), Some(rows));
            files.push((entry, bytes));
            next += rows;
        }
        files.push((FileEntry::for_bytes(Role::Ids, &ids), ids));
        Self { files, items }
    }

    /// Opens it, and checks what a bundle that was not refused promises.
    ///
    /// # Errors
    /// If it is refused.
    ///
    /// # Panics
    /// If a promise is broken.
    pub fn open(&self) -> Result<Bundle, BundleError> {
        let opened = Bundle::open(&self.manifest(), |entry| {
            let file = self.files.iter().find(|(file, _)| file.name == entry.name);
            file.map(|(_, bytes)| bytes)
                .ok_or_else(|| BundleError::Missing {
                    what: entry.name.clone(),
                })
        });
        match &opened {
            Ok(bundle) => check(bundle),
            Err(error) => crate::tells(error),
        }
        opened
    }

    fn manifest(&self) -> Vec<u8> {
        let (method, calibration) = judging();
        let manifest = Manifest {
            items: self.items,
            files: self.files.iter().map(|(entry, _)| entry.clone()).collect(),
            ..Manifest::new("fuzz", method, Value::Null, calibration)
        };
        serde_json::to_vec(&manifest).expect("a manifest is JSON")
    }
}

/// What is read has the shapes that the manifest states and no number that is none, and is read again as it
/// was after it has been written.
fn check(bundle: &Bundle) {
    let spec = bundle.manifest.items;
    assert_eq!(
        (bundle.items.rows, bundle.items.width, bundle.items.dtype()),
        (spec.count, spec.width, spec.dtype)
    );
    assert_eq!(bundle.ids.len(), spec.count);
    assert_eq!(bundle.popularity.len(), spec.count);
    assert_eq!(bundle.codes.len(), spec.count * spec.code_width);
    let mut row = vec![0.0; spec.width];
    for at in 0..spec.count {
        bundle.items.row(at, &mut row);
        assert!(row.iter().all(|x| x.is_finite()), "row {at}: {row:?}");
    }
    for (name, tensor) in &bundle.weights {
        let values = tensor.shape.iter().product::<usize>();
        assert_eq!(tensor.data.len(), values, "{name}");
        assert!(tensor.data.iter().all(|x| x.is_finite()), "{name}");
    }
    again(bundle);
}

fn again(bundle: &Bundle) {
    let written = bundle.write(2).expect("what was read can be written");
    let file = |name: &str| {
        let found = written.iter().find(|(file, _)| file == name);
        found.map(|(_, bytes)| bytes)
    };
    let manifest = file(ingle_bundle::MANIFEST).expect("a manifest");
    let mut read = Bundle::open(manifest, |entry| {
        file(&entry.name).ok_or_else(|| BundleError::Missing {
            what: entry.name.clone(),
        })
    })
    .expect("what was written can be read");
    // Other blocks, and so other files.
    read.manifest.files.clone_from(&bundle.manifest.files);
    assert_eq!(&read, bundle);
}
