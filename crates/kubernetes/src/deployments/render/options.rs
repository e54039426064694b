//! Values of Flink's configuration that are lists and maps, as Flink reads them from text.

use std::collections::BTreeMap;

/// Splits at the delimiter, but not within quotation marks. A part that begins with a quotation mark ends with it; a doubled
/// one stands for itself. Errors: half a sentence.
pub(super) fn split(text: &str, delimiter: char) -> Result<Vec<String>, String> {
    let mut parts = Vec::new();
    let mut rest = text.trim_start();
    loop {
        let (part, after) = match rest.chars().next() {
            Some(quote @ ('\'' | '"')) => quoted(text, rest, quote, delimiter)?,
            Some(_) => match rest.split_once(delimiter) {
                Some((part, after)) => (part.trim().to_owned(), Some(after)),
                None => (rest.trim().to_owned(), None),
            },
            None => break,
        };
        parts.push(part);
        match after {
            Some(after) => rest = after.trim_start(),
            None => break,
        }
    }
    Ok(parts)
}

fn quoted<'a>(
    whole: &str,
    text: &'a str,
    quote: char,
    delimiter: char,
) -> Result<(String, Option<&'a str>), String> {
    let mut part = String::new();
    let mut characters = text.char_indices().skip(1).peekable();
    while let Some((at, character)) = characters.next() {
        if character != quote {
            part.push(character);
            continue;
        }
        if characters.next_if(|(_, next)| *next == quote).is_some() {
            part.push(quote);
            continue;
        }
        let after = text.get(at + 1..).unwrap_or_default().trim_start();
        return match after.strip_prefix(delimiter) {
            Some(after) => Ok((part, Some(after))),
            None if after.is_empty() => Ok((part, None)),
            None => Err(format!(
                "found `{whole}`, expected `{delimiter}` or the end after each closing quotation mark"
            )),
        };
    }
    Err(format!(
        "found `{whole}`, expected a closing quotation mark {quote}"
    ))
}

/// A map: `key:value,key:value`. Errors: half a sentence.
pub(super) fn map(text: &str) -> Result<BTreeMap<String, String>, String> {
    let mut map = BTreeMap::new();
    for entry in split(text, ',')? {
        let parts = split(&entry, ':')?;
        let [key, value] = parts.as_slice() else {
            return Err(format!(
                "found `{entry}`, expected `key:value`, in quotation marks where they hold a colon themselves"
            ));
        };
        map.insert(key.clone(), value.clone());
    }
    Ok(map)
}

/// The map of an option: from its one text, or from keys that begin with its own.
pub(super) fn map_of(
    configuration: &BTreeMap<String, String>,
    key: &str,
) -> Result<BTreeMap<String, String>, String> {
    if let Some(text) = configuration.get(key) {
        return map(text).map_err(|problem| problem_of(key, &problem));
    }
    let prefix = format!("{key}.");
    Ok(configuration
        .iter()
        .filter_map(|(key, value)| Some((key.strip_prefix(&prefix)?.to_owned(), value.clone())))
        .collect())
}

/// The list of an option, separated by semicolons.
pub(super) fn list_of(configuration: &BTreeMap<String, String>, key: &str) -> Result<Vec<String>, String> {
    let text = configuration.get(key).map_or("", String::as_str);
    split(text, ';').map_err(|problem| problem_of(key, &problem))
}

/// The maps of an option, separated by semicolons.
pub(super) fn maps_of(
    configuration: &BTreeMap<String, String>,
    key: &str,
) -> Result<Vec<BTreeMap<String, String>>, String> {
    list_of(configuration, key)?
        .iter()
        .map(|text| map(text).map_err(|problem| problem_of(key, &problem)))
        .collect()
}

/// The number of an option.
pub(super) fn number_of(
    configuration: &BTreeMap<String, String>,
    keys: &[&str],
    default: f64,
) -> Result<f64, String> {
    let Some((key, text)) = keys
        .iter()
        .find_map(|key| configuration.get(*key).map(|text| (*key, text)))
    else {
        return Ok(default);
    };
    text.trim()
        .parse::<f64>()
        .ok()
        .filter(|number| number.is_finite() && *number > 0.0)
        .ok_or_else(|| problem_of(key, &format!("found `{text}`, expected a number larger than 0")))
}

/// The port of an option.
pub(super) fn port_of(
    configuration: &BTreeMap<String, String>,
    key: &str,
    default: u16,
) -> Result<u16, String> {
    let Some(text) = configuration.get(key) else {
        return Ok(default);
    };
    text.trim()
        .parse::<u16>()
        .ok()
        .filter(|port| *port > 0)
        .ok_or_else(|| problem_of(key, &format!("found `{text}`, expected one port from 1 to 65535")))
}

/// The sentence for a problem with the value of a key.
pub(super) fn problem_of(key: &str, problem: &str) -> String {
    format!("spec.flinkConfiguration[{key}]: {problem}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_and_maps_are_read_as_flink_reads_them() {
        assert_eq!(split("", ';').unwrap(), Vec::<String>::new());
        assert_eq!(split("a; b ;c", ';').unwrap(), ["a", "b", "c"]);
        assert_eq!(split("'a;b';\"c\"\"d\"", ';').unwrap(), ["a;b", "c\"d"]);
        let read = map("a.b/c:d,e:'f:g'").unwrap();
        assert_eq!((read["a.b/c"].as_str(), read["e"].as_str()), ("d", "f:g"));
        for wrong in ["a", "a:b:c", "'a", "'a'b"] {
            assert!(map(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_map_may_stand_in_keys_of_its_own() {
        let nested = BTreeMap::from([("labels.x".to_owned(), "y".to_owned())]);
        assert_eq!(map_of(&nested, "labels").unwrap()["x"], "y");
    }
}
