//! Everything malformed, against our definitions.

use sluice_api::Kind;

use crate::outcomes::{Outcome, of_everything_malformed};
use crate::server::Server;

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_malformed_is_refused_with_its_field_or_told_in_sentences_and_nothing_panics() {
    let server = Server::with_our_definitions("malformed").await;
    for kind in Kind::ALL {
        let outcomes = of_everything_malformed(&server, kind).await;
        outcomes.print(&format!("{kind:?}, with our definition"));
        assert!(outcomes.counts.values().sum::<usize>() > 1000);
        assert_eq!(outcomes.of(Outcome::Panics), 0);
        assert_eq!(outcomes.of(Outcome::CannotBeRead), 0);
        // Of a field, the API server always says its name.
        for example in &outcomes.examples[&Outcome::RefusedAsAWhole] {
            assert!(example.starts_with("by hand"), "{example}");
        }
        // No rule of ours refuses what our validation takes; of types, ours takes a null where the API server does not.
        for example in &outcomes.examples[&Outcome::RefusedThoughValid] {
            assert!(example.contains("in body must be of type"), "{example}");
        }
        assert!(outcomes.of(Outcome::RefusedNamingTheField) > 500);
        assert!(outcomes.of(Outcome::ProblemsInSentences) > 10);
    }
}
