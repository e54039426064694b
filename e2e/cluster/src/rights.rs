//! What a test lets service accounts do.

use anyhow::{Context, Result};
use k8s_openapi::api::rbac::v1::{PolicyRule, Role, RoleBinding, RoleRef, Subject};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Api;
use kube::api::{Patch, PatchParams};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::plane::ControlPlane;

const GROUP: &str = "rbac.authorization.k8s.io";

/// Who is let do something in a namespace.
#[derive(Clone, Copy, Debug)]
pub enum Grantee<'a> {
    /// The service account of this name.
    Account(&'a str),
    /// Every service account of the namespace, those of later, too.
    EveryAccount,
}

impl Grantee<'_> {
    /// The name of its role, and of what binds it.
    fn role(&self) -> String {
        match self {
            Self::Account(name) => format!("account-{name}"),
            Self::EveryAccount => "every-account".to_owned(),
        }
    }

    fn subject(&self, namespace: &str) -> Subject {
        match self {
            Self::Account(name) => Subject {
                kind: "ServiceAccount".to_owned(),
                name: (*name).to_owned(),
                namespace: Some(namespace.to_owned()),
                ..Subject::default()
            },
            Self::EveryAccount => Subject {
                api_group: Some(GROUP.to_owned()),
                kind: "Group".to_owned(),
                name: format!("system:serviceaccounts:{namespace}"),
                ..Subject::default()
            },
        }
    }
}

impl ControlPlane {
    /// Lets them do this with the `ConfigMaps` of a namespace that have these names, or with all of them if none is named. What
    /// they were granted before is taken back. Nobody can be let create or list only what has a name.
    pub async fn grant_config_maps(
        &self,
        namespace: &str,
        to: Grantee<'_>,
        names: &[&str],
        verbs: &[&str],
    ) -> Result<()> {
        let owned = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>();
        let metadata = ObjectMeta {
            name: Some(to.role()),
            namespace: Some(namespace.to_owned()),
            ..ObjectMeta::default()
        };
        let role = Role {
            metadata: metadata.clone(),
            rules: Some(vec![PolicyRule {
                api_groups: Some(vec![String::new()]),
                resources: Some(vec!["configmaps".to_owned()]),
                resource_names: (!names.is_empty()).then(|| owned(names)),
                verbs: owned(verbs),
                ..PolicyRule::default()
            }]),
        };
        let binding = RoleBinding {
            metadata,
            role_ref: RoleRef {
                api_group: GROUP.to_owned(),
                kind: "Role".to_owned(),
                name: to.role(),
            },
            subjects: Some(vec![to.subject(namespace)]),
        };
        self.apply(namespace, &to.role(), &role).await?;
        self.apply(namespace, &to.role(), &binding).await
    }

    async fn apply<K>(&self, namespace: &str, name: &str, object: &K) -> Result<()>
    where
        K: kube::Resource<Scope = k8s_openapi::NamespaceResourceScope, DynamicType = ()>
            + Clone
            + std::fmt::Debug
            + Serialize
            + DeserializeOwned,
    {
        let api: Api<K> = Api::namespaced(self.client().await?, namespace);
        api.patch(name, &PatchParams::apply("test"), &Patch::Apply(object))
            .await
            .with_context(|| format!("The {} {namespace}/{name} could not be applied.", K::kind(&())))?;
        Ok(())
    }
}
