//! What the user named, `orders` or `flinkdep/orders`, and the object of that name.

use std::str::FromStr;

use serde_json::Value;
use sluice_local::store::Kind;

use crate::failure::Failure;
use crate::source::Source;

/// The kinds that a name alone may mean; what is found in the first goes before what is found in the second.
const BY_NAME: [Kind; 2] = [Kind::FlinkBlueGreenDeployment, Kind::FlinkDeployment];

/// The name of a resource, with or without its kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    /// The kind, if it was named.
    pub(crate) kind: Option<Kind>,
    /// The name.
    pub(crate) name: String,
}

impl FromStr for Target {
    type Err = String;

    /// Reads `NAME` or `KIND/NAME`.
    fn from_str(text: &str) -> Result<Self, String> {
        let (kind, name) = match text.split_once('/') {
            Some((kind, name)) => (
                Some(kind.parse::<Kind>().map_err(|error| error.to_string())?),
                name,
            ),
            None => (None, text),
        };
        if name.is_empty() || name.contains('/') {
            return Err("write NAME, or KIND/NAME such as flinkdep/orders".to_owned());
        }
        Ok(Self {
            kind,
            name: name.to_owned(),
        })
    }
}

/// An object as it is.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    /// Its kind.
    pub(crate) kind: Kind,
    /// All of it.
    pub(crate) object: Value,
}

impl Target {
    /// Every object that may be meant, at least one. Of a named kind there is but one.
    async fn candidates(&self, source: &Source) -> Result<Vec<Found>, Failure> {
        let namespace = source.namespace();
        if let Some(kind) = self.kind {
            let object = source.required(kind, namespace, &self.name).await?;
            return Ok(vec![Found { kind, object }]);
        }
        let mut found = Vec::new();
        for kind in BY_NAME {
            if let Some(object) = source.get(kind, namespace, &self.name).await? {
                found.push(Found { kind, object });
            }
        }
        if found.is_empty() {
            return Err(Failure::Refused(format!(
                "There is no FlinkBlueGreenDeployment or FlinkDeployment {}{}; `{program} get` and `{program} get flinkdep` list what there is.",
                self.name,
                source.within(namespace),
                program = source.program(),
            )));
        }
        Ok(found)
    }

    /// The object to show: the blue/green resource goes before a FlinkDeployment of the same name.
    pub(crate) async fn first(&self, source: &Source) -> Result<Found, Failure> {
        let candidates = self.candidates(source).await?;
        candidates
            .into_iter()
            .next()
            .ok_or_else(|| Failure::refused(format!("There is no {}.", self.name)))
    }

    /// The one object that can be meant; for what cannot be undone.
    ///
    /// Errors: [`Failure::Usage`] where there are two.
    pub(crate) async fn only(&self, source: &Source) -> Result<Found, Failure> {
        let mut candidates = self.candidates(source).await?;
        match (candidates.pop(), candidates.is_empty()) {
            (Some(found), true) => Ok(found),
            _ => Err(Failure::Usage(format!(
                "There are a FlinkBlueGreenDeployment and a FlinkDeployment {name}: say which, flinkbgdep/{name} or flinkdep/{name}.",
                name = self.name
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_stand_behind_its_kind() {
        let named = |text: &str| text.parse::<Target>().map(|it| (it.kind, it.name));
        assert_eq!(named("orders"), Ok((None, "orders".to_owned())));
        for kind in ["flinkdep", "FlinkDeployment", "flinkdeployments"] {
            let expected = (Some(Kind::FlinkDeployment), "orders".to_owned());
            assert_eq!(named(&format!("{kind}/orders")), Ok(expected), "{kind}");
        }
        assert!(named("pod/orders").unwrap_err().contains("or Ingress"));
        for wrong in ["", "flinkdep/", "flinkdep/a/b"] {
            assert!(named(wrong).is_err(), "{wrong}");
        }
    }
}
