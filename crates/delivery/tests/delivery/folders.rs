//! What holds for every store, of a folder.

use crate::support::FolderPlace;

crate::faults::hold_for!(FolderPlace);
