//! Files on the command line.

use std::io::Read;
use std::path::Path;

use crate::failure::Failure;

/// The text of a file, or of standard input for `-`.
pub(crate) fn read(file: &Path) -> Result<String, Failure> {
    if file == Path::new("-") {
        let mut text = String::new();
        std::io::stdin()
            .lock()
            .read_to_string(&mut text)
            .map_err(|error| Failure::refused(format!("Standard input cannot be read: {error}.")))?;
        return Ok(text);
    }
    std::fs::read_to_string(file)
        .map_err(|error| Failure::refused(format!("{} cannot be read: {error}.", file.display())))
}

/// What to call the file in a message.
pub(crate) fn origin(file: &Path) -> String {
    if file == Path::new("-") {
        "standard input".to_owned()
    } else {
        file.display().to_string()
    }
}
