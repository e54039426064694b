//! Licence expressions as crates write them (SPDX, or the older `MIT/Apache-2.0`), and the list of those allowed.

use anyhow::{Context, Result, bail};

/// The quoted names of `allow = [...]` in the section `[licenses]` of `deny.toml`.
pub(crate) fn allowed_by(deny_toml: &str) -> Result<Vec<String>> {
    let (_, section) = deny_toml
        .split_once("[licenses]")
        .context("deny.toml has no section [licenses]")?;
    let (_, list) = section
        .split_once("\nallow = [")
        .context("[licenses] in deny.toml has no `allow` list")?;
    let names: Vec<String> = list
        .lines()
        .map(|line| line.split('#').next().unwrap_or_default().trim())
        .take_while(|entry| !entry.starts_with(']'))
        .filter_map(|entry| entry.strip_prefix('"')?.split('"').next())
        .map(str::to_owned)
        .collect();
    if names.is_empty() {
        bail!("the `allow` list of [licenses] in deny.toml is empty; it has one licence a line");
    }
    Ok(names)
}

/// Whether a crate with this licence expression may be used when these licences are allowed.
pub(crate) fn permits(expression: &str, allowed: &[String]) -> Result<bool> {
    let spaced = expression
        .replace('(', " ( ")
        .replace(')', " ) ")
        .replace('/', " OR ");
    let mut words = Words {
        rest: spaced.split_whitespace().collect(),
        allowed,
    };
    let verdict = words
        .alternatives()
        .with_context(|| format!("the licence `{expression}` cannot be read"))?;
    if let Some(word) = words.rest.first() {
        bail!("the licence `{expression}` has `{word}` where it should end");
    }
    Ok(verdict)
}

struct Words<'a> {
    rest: Vec<&'a str>,
    allowed: &'a [String],
}

impl Words<'_> {
    fn accept(&mut self, word: &str) -> bool {
        let found = self.rest.first() == Some(&word);
        if found {
            self.rest.remove(0);
        }
        found
    }

    /// One of them has to be allowed.
    fn alternatives(&mut self) -> Result<bool> {
        let mut verdict = self.all_of()?;
        while self.accept("OR") {
            verdict |= self.all_of()?;
        }
        Ok(verdict)
    }

    /// All of them have to be allowed; `AND` binds more tightly than `OR`.
    fn all_of(&mut self) -> Result<bool> {
        let mut verdict = self.one()?;
        while self.accept("AND") {
            verdict &= self.one()?;
        }
        Ok(verdict)
    }

    fn one(&mut self) -> Result<bool> {
        if self.accept("(") {
            let verdict = self.alternatives()?;
            if !self.accept(")") {
                bail!("a bracket is not closed");
            }
            return Ok(verdict);
        }
        let licence = match self.rest.first() {
            None | Some(&("AND" | "OR" | "WITH" | ")")) => bail!("the name of a licence is missing"),
            Some(licence) => (*licence).to_owned(),
        };
        self.rest.remove(0);
        // An exception makes another licence of it; such a pair is allowed as a pair or not at all.
        let licence = if self.accept("WITH") {
            let exception = self.rest.first().context("an exception is missing after WITH")?;
            let pair = format!("{licence} WITH {exception}");
            self.rest.remove(0);
            pair
        } else {
            licence
        };
        Ok(self.allowed.contains(&licence))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn permitted(expression: &str) -> bool {
        let allowed = ["MIT", "Apache-2.0", "ISC"].map(str::to_owned);
        permits(expression, &allowed).unwrap()
    }

    #[test]
    fn one_allowed_alternative_is_enough() {
        assert!(permitted("MIT"));
        assert!(permitted("Unlicense OR MIT"));
        assert!(permitted("Unlicense/MIT"));
        assert!(permitted("Apache-2.0 WITH LLVM-exception OR Apache-2.0 OR MIT"));
        assert!(!permitted("GPL-3.0-only"));
        assert!(!permitted("GPL-3.0-only OR LGPL-2.1-or-later"));
        assert!(!permitted("Apache-2.0 WITH LLVM-exception"));
    }

    #[test]
    fn every_part_of_a_conjunction_has_to_be_allowed() {
        assert!(permitted("ISC AND (Apache-2.0 OR OpenSSL) AND MIT"));
        assert!(!permitted("MIT AND OpenSSL"));
        assert!(!permitted("(MIT OR Apache-2.0) AND Unicode-3.0"));
        // AND binds first: MIT alone is a way out, and OpenSSL is not.
        assert!(permitted("MIT OR Apache-2.0 AND OpenSSL"));
        assert!(!permitted("OpenSSL AND MIT OR OpenSSL"));
    }

    #[test]
    fn an_expression_that_makes_no_sense_is_refused() {
        for expression in ["", "MIT OR", "(MIT", "MIT Apache-2.0", "MIT)", "AND", "MIT WITH"] {
            assert!(permits(expression, &["MIT".to_owned()]).is_err(), "{expression}");
        }
    }

    #[test]
    fn the_allow_list_is_read_from_this_repositorys_deny_toml() {
        let allowed = allowed_by(include_str!("../../deny.toml")).unwrap();
        assert!(allowed.contains(&"Apache-2.0".to_owned()));
        // Neither the comments nor the commas of the list are part of a name; only ` WITH ` has spaces.
        assert!(
            allowed
                .iter()
                .all(|name| !name.replace(" WITH ", "").contains(['#', ',', ' '])),
            "{allowed:?}"
        );
        assert!(allowed_by("[licenses]\nallow = [\n]\n").is_err());
    }
}
