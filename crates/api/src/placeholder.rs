//! The child's colour inside the specification: what two jobs that run side by side may not share, such as the prefix of
//! Kafka's transactional ids, is written once for both.
//!
//! The form is `%bluegreen.NAME%`. A percent sign means nothing to Flink's configuration, to Kubernetes' `$(NAME)`, to Helm
//! or to a shell, and what follows it here is no hexadecimal number, so no address in percent encoding looks like it.

use std::borrow::Cow;

use crate::blue_green::Color;
use crate::sentence;

/// Stands for the child's colour, `blue` or `green`, in the values of `flinkConfiguration` and in `args`.
pub const COLOR: &str = "%bluegreen.color%";

/// What no other text begins with.
const BEGINNING: &str = "%bluegreen.";
const COLOR_NAME: &str = "color";

/// The text with its placeholders filled in.
///
/// The error is half a sentence: what was found, and what is expected. Refused is every `%bluegreen.` that is not followed
/// by the name of a placeholder and a percent sign.
pub fn fill(text: &str, color: Color) -> Result<Cow<'_, str>, String> {
    let Some((before, rest)) = text.split_once(BEGINNING) else {
        return Ok(Cow::Borrowed(text));
    };
    let mut filled = before.to_owned();
    // Each part stands behind one beginning, up to the next.
    for part in rest.split(BEGINNING) {
        match part.split_once('%') {
            Some((COLOR_NAME, after)) => {
                filled.push_str(color.name());
                filled.push_str(after);
            }
            Some((name, _)) => return Err(unknown(&format!("{BEGINNING}{name}%"))),
            None => {
                let name = part.split_whitespace().next().unwrap_or_default();
                return Err(unknown(&format!("{BEGINNING}{name}")));
            }
        }
    }
    Ok(Cow::Owned(filled))
}

/// Whether a text holds a placeholder, be it a known one or not.
pub fn is_in(text: &str) -> bool {
    text.contains(BEGINNING)
}

fn unknown(found: &str) -> String {
    sentence::UNKNOWN_PLACEHOLDER.with(&[found])
}
